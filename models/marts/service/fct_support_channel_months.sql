{#- Minutes that stand for "not yet": longer than any wait, so that a percentile that falls among the open ones shows. -#}
{%- set still_open_minutes = '1e15' -%}

with

tickets as (

    select
        *,
        {{ month_of('opened_date') }} as opened_month,
        coalesce(cast(first_response_minutes as double), {{ still_open_minutes }}) as waited_for_response_minutes,
        coalesce(cast(resolution_minutes as double), {{ still_open_minutes }}) as waited_for_resolution_minutes
    from {{ ref('fct_support_tickets') }}

),

-- A percentile of a whole is no sum of its parts: every whole is counted from its tickets.
counted as (

    {% for channel in ['channel', "'all'"] -%}
    {% set is_last_channel = loop.last -%}
    {% for agent_group in ['agent_group', "'all'"] -%}
    select
        opened_month,
        {{ channel }} as channel,
        {{ agent_group }} as agent_group,
        cast(count(*) as bigint) as tickets,
        cast(count(customer_id) as bigint) as known_customer_tickets,
        cast(percentile_cont(0.5) within group (order by waited_for_response_minutes) as double) as response_p50,
        cast(percentile_cont(0.9) within group (order by waited_for_response_minutes) as double) as response_p90,
        cast(percentile_cont(0.5) within group (order by waited_for_resolution_minutes) as double) as resolution_p50,
        cast(percentile_cont(0.9) within group (order by waited_for_resolution_minutes) as double) as resolution_p90,
        cast(count(is_answered_in_target) as bigint) as answer_decided_tickets,
        cast(count(*) filter (where is_answered_in_target) as bigint) as answered_in_target_tickets,
        cast(count(is_answered_within_limit) as bigint) as limit_decided_tickets,
        cast(count(*) filter (where is_answered_within_limit) as bigint) as answered_within_limit_tickets,
        cast(count(*) filter (where is_resolved) as bigint) as resolved_tickets,
        cast(count(is_resolved_in_target) as bigint) as resolution_decided_tickets,
        cast(count(*) filter (where is_resolved_in_target) as bigint) as resolved_in_target_tickets,
        cast(count(is_reopened) filter (where is_resolved) as bigint) as reopening_known_tickets,
        cast(count(*) filter (where is_resolved and is_reopened) as bigint) as reopened_tickets,
        cast(count(is_contained_by_bot) as bigint) as bot_decided_tickets,
        cast(count(*) filter (where is_contained_by_bot) as bigint) as contained_tickets,
        cast(count(csat_score) as bigint) as csat_answers,
        cast(count(*) filter (where csat_score >= 4) as bigint) as satisfied_answers,
        cast(count(*) filter (where is_compensated) as bigint) as compensated_tickets,
        {{ money_sum('compensation_amount') }} as compensation_amount

    from tickets
    group by 1, 2, 3
    {{ 'union all' if not (is_last_channel and loop.last) }}

    {% endfor %}
    {%- endfor %}
),

dated as (

    select
        *,
        -- The last ticket of the month has had its time.
        {{ add_days(end_of_month('opened_month'), (var('support_resolution_hours') / 24) | round(0, 'ceil') | int) }}
            <= {{ as_of_date() }} as is_mature
    from counted

),

final as (

    select
        -- keys
        opened_month,
        channel,
        agent_group,

        -- measures: how many, how fast, how well
        tickets,
        known_customer_tickets,
        resolved_tickets,
        {% for percentile in ['response_p50', 'response_p90', 'resolution_p50', 'resolution_p90'] -%}
        case when is_mature and {{ percentile }} < 1e12 then {{ percentile }} end
            as {{ 'first_' if percentile.startswith('response') }}{{ percentile | replace('_p', '_minutes_p') }},
        {% endfor -%}
        {% for decided, kept, rate in [
            ('answer_decided_tickets', 'answered_in_target_tickets', 'answered_in_target_rate'),
            ('limit_decided_tickets', 'answered_within_limit_tickets', 'answered_within_limit_rate'),
            ('resolution_decided_tickets', 'resolved_in_target_tickets', 'resolved_in_target_rate'),
            ('reopening_known_tickets', 'reopened_tickets', 'reopened_rate'),
            ('bot_decided_tickets', 'contained_tickets', 'containment_rate'),
        ] -%}
        {{ decided }},
        {{ kept }},
        case when is_mature then {{ ratio(kept, decided) }} end as {{ rate }},
        case when is_mature then {{ wilson_low(kept, decided) }} end as {{ rate }}_low,
        case when is_mature then {{ wilson_high(kept, decided) }} end as {{ rate }}_high,
        {% endfor -%}
        csat_answers,
        satisfied_answers,
        {% for name, rate in [
            ('csat_rate', ratio('satisfied_answers', 'csat_answers')),
            ('csat_rate_low', wilson_low('satisfied_answers', 'csat_answers')),
            ('csat_rate_high', wilson_high('satisfied_answers', 'csat_answers')),
        ] -%}
        case when is_mature and csat_answers >= {{ var('fewest_answers') }} then {{ rate }} end as {{ name }},
        {% endfor -%}
        compensated_tickets,
        compensation_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

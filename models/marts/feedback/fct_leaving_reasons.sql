{#- Days after the end in which somebody may come back. -#}
{%- set follow_days = 90 -%}
{#- Days around the end in which a churn survey is one about it, where nobody had asked to leave before. -#}
{%- set survey_days = 30 -%}

with

memberships as (

    select
        *,
        lead(started_date) over (
            partition by customer_id, program order by spell_number asc nulls last
        ) as rejoined_date
    from {{ ref('int_membership__spells') }}

),

spells as (

    select
        customer_id,
        program,
        spell_number,
        coalesce(cancel_reason, 'unknown') as cancel_reason,
        end_type,
        tenure_days,
        coalesce(rejoined_date <= {{ add_days('ended_date', follow_days) }}, false) as has_rejoined,
        coalesce(cancel_requested_date, {{ add_days('ended_date', -survey_days) }}) as surveyed_from_date,
        ended_date
    from memberships
    where not is_running

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

surveys as (

    select * from {{ ref('int_feedback__surveys') }}
    where survey_type = 'churn'

),

-- Before the first survey nobody was asked, which is no refusal to answer.
first_survey as (

    select min(sent_date) as first_sent_date from surveys

),

asked as (

    select
        spells.customer_id,
        spells.program,
        spells.spell_number,
        bool_or(surveys.is_answered) as has_answered

    from spells
    inner join surveys
        on spells.customer_id = surveys.customer_id
        and surveys.sent_date >= spells.surveyed_from_date
        and surveys.sent_date <= {{ add_days('spells.ended_date', survey_days) }}
    group by 1, 2, 3

),

ordered_again as (

    select distinct
        spells.customer_id,
        spells.program,
        spells.spell_number

    from spells
    inner join occasions
        on spells.customer_id = occasions.customer_id
        and occasions.ordered_date > spells.ended_date
        and occasions.ordered_date <= {{ add_days('spells.ended_date', follow_days) }}

),

counted as (

    select
        {{ month_of('spells.ended_date') }} as ended_month,
        spells.program,
        spells.cancel_reason,
        cast(count(*) as bigint) as leavers,
        cast(count(*) filter (where spells.end_type = 'voluntary') as bigint) as voluntary_leavers,
        cast(percentile_cont(0.5) within group (order by spells.tenure_days) as double) as tenure_days_p50,
        cast(count(asked.customer_id) as bigint) as asked_leavers,
        cast(count(*) filter (where asked.has_answered) as bigint) as answered_leavers,
        cast(count(*) filter (where spells.has_rejoined) as bigint) as rejoined_leavers,
        cast(count(ordered_again.customer_id) as bigint) as ordering_leavers

    from spells
    left join asked
        on spells.customer_id = asked.customer_id
        and spells.program = asked.program
        and spells.spell_number = asked.spell_number
    left join ordered_again
        on spells.customer_id = ordered_again.customer_id
        and spells.program = ordered_again.program
        and spells.spell_number = ordered_again.spell_number
    group by 1, 2, 3

),

dated as (

    select
        counted.*,
        cast(sum(counted.leavers) over (partition by counted.ended_month, counted.program) as bigint) as all_leavers,
        {{ end_of_month('counted.ended_month') }} <= {{ as_of_date() }} as is_mature,
        {{ add_days(end_of_month('counted.ended_month'), follow_days) }} <= {{ as_of_date() }} as is_follow_up_mature,
        {{ end_of_month('counted.ended_month') }} >= first_survey.first_sent_date as has_surveys
    from counted
    cross join first_survey

),

final as (

    select
        -- keys
        ended_month,
        program,
        cancel_reason,

        -- measures: why they left
        leavers,
        voluntary_leavers,
        all_leavers,
        {% for name, share in [
            ('reason_share', ratio('leavers', 'all_leavers')),
            ('reason_share_low', wilson_low('leavers', 'all_leavers')),
            ('reason_share_high', wilson_high('leavers', 'all_leavers')),
        ] -%}
        case when is_mature then {{ share }} end as {{ name }},
        {% endfor -%}
        tenure_days_p50,

        -- measures: who was asked, and what became of them
        case when is_follow_up_mature and has_surveys then asked_leavers end as asked_leavers,
        case when is_follow_up_mature and has_surveys then answered_leavers end as answered_leavers,
        {% for name, rate in [
            ('response_rate', ratio('answered_leavers', 'asked_leavers')),
            ('response_rate_low', wilson_low('answered_leavers', 'asked_leavers')),
            ('response_rate_high', wilson_high('answered_leavers', 'asked_leavers')),
        ] -%}
        case when is_follow_up_mature and has_surveys then {{ rate }} end as {{ name }},
        {% endfor -%}
        {% for who in ['rejoined', 'ordering'] -%}
        {%- set measure, rate = who ~ '_leavers', who ~ '_rate_90d' -%}
        case when is_follow_up_mature then {{ measure }} end as {{ measure }}_90d,
        case when is_follow_up_mature then {{ ratio(measure, 'leavers') }} end as {{ rate }},
        case when is_follow_up_mature then {{ wilson_low(measure, 'leavers') }} end as {{ rate }}_low,
        case when is_follow_up_mature then {{ wilson_high(measure, 'leavers') }} end as {{ rate }}_high,
        {% endfor %}
        -- flags
        is_mature,
        is_follow_up_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

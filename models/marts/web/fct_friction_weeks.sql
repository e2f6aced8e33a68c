{#- What hinders, and among which sessions it can hinder at all: those are compared with the ones it met. -#}
{%- set frictions = {
    'search_zero_results': {'met': 'has_zero_result_search', 'could_meet': 'search_count > 0'},
    'promo_rejected': {
        'met': 'has_promo_rejected',
        'could_meet': "furthest_step in ('cart', 'checkout', 'purchase') or has_promo_rejected",
    },
    'error': {'met': 'has_error', 'could_meet': 'true'},
    'checkout_drop': {'met': 'has_checkout_drop', 'could_meet': "furthest_step in ('checkout', 'purchase')"},
} -%}
{%- set measures = ['sessions', 'purchases', 'returns', 'customers_at_risk', 'lapses'] -%}
{%- set return_days = 30 -%}

with

sessions as (

    select
        *,
        cast(date_trunc('week', session_date) as date) as session_week,
        coalesce(days_to_next_visit <= {{ return_days }}, false) as has_returned,
        -- Only who has ordered, and has not lapsed yet, can lapse.
        coalesce(days_since_last_order <= {{ var('lapse_days') }}, false) as can_lapse,
        coalesce(days_to_next_order > {{ var('lapse_days') }}, true) as has_no_order_in_time
    from {{ ref('fct_sessions') }}
    where not is_suspected_bot

),

-- Once over the sessions; each friction has its columns.
counted as (

    select
        session_week,
        device_type,
        {%- for name, friction in frictions.items() %}{% set is_last_friction = loop.last %}
        {%- for side, condition in {
            'with': friction.met, 'without': '(' ~ friction.could_meet ~ ') and not ' ~ friction.met
        }.items() %}
        count(*) filter (where {{ condition }}) as {{ name }}_sessions_{{ side }},
        count(*) filter (where {{ condition }} and has_purchased) as {{ name }}_purchases_{{ side }},
        count(*) filter (where {{ condition }} and has_returned) as {{ name }}_returns_{{ side }},
        count(*) filter (where {{ condition }} and can_lapse) as {{ name }}_customers_at_risk_{{ side }},
        count(*) filter (where {{ condition }} and can_lapse and has_no_order_in_time) as {{ name }}_lapses_{{ side }}
        {{- ',' if not (is_last_friction and loop.last) }}
        {%- endfor %}
        {%- endfor %}

    from sessions
    group by 1, 2

),

weeks as (

    {% for name in frictions -%}{% set is_last_friction = loop.last %}
    {%- for device in ['device_type', "'all'"] %}
    select
        '{{ name }}' as friction_type,
        {{ device }} as device_type,
        session_week,
        {%- for measure in measures %}
        cast(sum({{ name }}_{{ measure }}_with) as bigint) as {{ measure }},
        cast(sum({{ name }}_{{ measure }}_without) as bigint) as comparison_{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from counted
    group by 1, 2, 3
    {{ 'union all' if not (is_last_friction and loop.last) }}
    {%- endfor %}
    {%- endfor %}

),

dated as (

    select
        *,
        {{ add_days('session_week', 6) }} <= {{ as_of_date() }} as is_mature,
        {{ add_days('session_week', 6 + return_days) }} <= {{ as_of_date() }} as is_return_mature,
        {{ add_days('session_week', 6 + var('lapse_days')) }} <= {{ as_of_date() }} as is_lapse_mature,
        -- Who leaves the checkout has not bought by its very name: there is nothing to compare.
        friction_type <> 'checkout_drop' as is_conversion_compared
    from weeks
    where sessions > 0 or comparison_sessions > 0

),

final as (

    select
        -- keys
        friction_type,
        device_type,
        session_week,

        -- measures
        sessions,
        comparison_sessions,
        case when is_conversion_compared then purchases end as purchases,
        case when is_conversion_compared then comparison_purchases end as comparison_purchases,
        {%- set shown = 'is_mature and is_conversion_compared' %}
        case when {{ shown }} then {{ ratio('purchases', 'sessions') }} end as conversion_rate,
        case when {{ shown }} then {{ ratio('comparison_purchases', 'comparison_sessions') }} end
            as comparison_conversion_rate,
        case
            when {{ shown }}
                then {{ ratio('comparison_purchases', 'comparison_sessions') }} - {{ ratio('purchases', 'sessions') }}
        end as conversion_loss,
        case
            when {{ shown }}
                then {{ newcombe_low('comparison_purchases', 'comparison_sessions', 'purchases', 'sessions') }}
        end as conversion_loss_low,
        case
            when {{ shown }}
                then {{ newcombe_high('comparison_purchases', 'comparison_sessions', 'purchases', 'sessions') }}
        end as conversion_loss_high,
        case when is_return_mature then returns end as next_30d_returns,
        case when is_return_mature then comparison_returns end as comparison_next_30d_returns,
        case when is_return_mature then {{ ratio('returns', 'sessions') }} end as next_30d_return_rate,
        case when is_return_mature then {{ ratio('comparison_returns', 'comparison_sessions') }} end
            as comparison_next_30d_return_rate,
        case when is_lapse_mature then customers_at_risk end as lapse_eligible_sessions,
        case when is_lapse_mature then comparison_customers_at_risk end as comparison_lapse_eligible_sessions,
        case when is_lapse_mature then lapses end as lapses,
        case when is_lapse_mature then comparison_lapses end as comparison_lapses,
        case when is_lapse_mature then {{ ratio('lapses', 'customers_at_risk') }} end as next_lapse_rate,
        case when is_lapse_mature then {{ ratio('comparison_lapses', 'comparison_customers_at_risk') }} end
            as comparison_next_lapse_rate,

        -- flags
        is_mature,
        is_return_mature,
        is_lapse_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

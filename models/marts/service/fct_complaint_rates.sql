with

bad_events as (

    select * from {{ ref('int_service__bad_events') }}
    where is_ticket_known and is_decided

),

-- What is printed of customers everywhere; no figure of a claim stands in a model.
claim as (

    select value as published_share
    from {{ ref('published_benchmark_claims') }}
    where benchmark_id = 'silent_dissatisfaction'

),

counted as (

    {% for event_type in ['event_type', "'all'"] -%}
    select
        {{ event_type }} as event_type,
        cast(count(*) as bigint) as bad_events,
        cast(count(distinct customer_id) as bigint) as customers,
        cast(count(*) filter (where has_ticket) as bigint) as complained_bad_events,
        cast(count(*) filter (where not has_ticket) as bigint) as uncomplained_bad_events,
        cast(count(*) filter (where has_answered_survey) as bigint) as surveyed_bad_events,
        cast(count(*) filter (where has_public_review) as bigint) as reviewed_bad_events,
        cast(count(*) filter (where is_silent) as bigint) as silent_bad_events
    from bad_events
    group by 1
    {{ 'union all' if not loop.last }}

    {% endfor %}
),

final as (

    select
        -- keys
        counted.event_type,

        -- measures
        counted.bad_events,
        counted.customers,
        counted.complained_bad_events,
        counted.surveyed_bad_events,
        counted.reviewed_bad_events,
        counted.silent_bad_events,
        {{ ratio('counted.uncomplained_bad_events', 'counted.bad_events') }} as uncomplained_share,
        {{ wilson_low('counted.uncomplained_bad_events', 'counted.bad_events') }} as uncomplained_share_low,
        {{ wilson_high('counted.uncomplained_bad_events', 'counted.bad_events') }} as uncomplained_share_high,
        {{ ratio('counted.silent_bad_events', 'counted.bad_events') }} as silent_share,
        {{ wilson_low('counted.silent_bad_events', 'counted.bad_events') }} as silent_share_low,
        {{ wilson_high('counted.silent_bad_events', 'counted.bad_events') }} as silent_share_high,
        claim.published_share as published_uncomplained_share,

        -- times
        {{ as_of_date() }} as as_of_date

    from counted
    left join claim on true
    where counted.bad_events > 0

)

select * from final

with

bad_events as (

    select * from {{ ref('int_service__bad_events') }}
    where is_ticket_known

),

scores as (

    select * from {{ ref('stg_scores_customer_churn') }}
    where horizon_days = {{ var('churn_horizon_days') }}

),

events_per_customer as (

    select
        customer_id,
        cast(count(*) as bigint) as bad_events,
        cast(count(*) filter (where is_decided) as bigint) as decided_bad_events,
        cast(count(*) filter (where has_ticket) as bigint) as complained_bad_events,
        cast(count(*) filter (where has_answered_survey) as bigint) as surveyed_bad_events,
        cast(count(*) filter (where has_public_review) as bigint) as reviewed_bad_events,
        cast(count(*) filter (where is_silent) as bigint) as silent_bad_events,
        max_by(event_type, event_number) as last_event_type,
        min(happened_date) as first_bad_event_date,
        max(happened_date) as last_bad_event_date

    from bad_events
    group by 1

),

final as (

    select
        -- keys
        events_per_customer.customer_id,

        -- measures
        events_per_customer.bad_events,
        events_per_customer.decided_bad_events,
        events_per_customer.complained_bad_events,
        events_per_customer.surveyed_bad_events,
        events_per_customer.reviewed_bad_events,
        events_per_customer.silent_bad_events,
        scores.p_churn as p_churn_90d,

        -- attributes
        events_per_customer.last_event_type,
        {{ risk_band('scores.p_churn') }} as risk_band,

        -- flags
        events_per_customer.complained_bad_events > 0 as has_complained,
        -- No voice to any event, and time enough for each.
        case
            when events_per_customer.silent_bad_events = events_per_customer.bad_events then true
            when
                events_per_customer.complained_bad_events > 0
                or events_per_customer.surveyed_bad_events > 0
                or events_per_customer.reviewed_bad_events > 0
                then false
        end as is_silent,

        -- times
        events_per_customer.first_bad_event_date,
        events_per_customer.last_bad_event_date,
        {{ as_of_date() }} as as_of_date

    from events_per_customer
    left join scores on events_per_customer.customer_id = scores.customer_id

)

select * from final

-- Decided events of the customers are those of the kinds; kinds add up; and recovery holds each of the customers once.
with

customers as (

    select
        coalesce(sum(decided_bad_events), 0) as decided_bad_events,
        coalesce(sum(silent_bad_events), 0) as silent_bad_events,
        count(*) as customers
    from {{ ref('fct_silent_dissatisfaction') }}

),

kinds as (

    select
        coalesce(sum(case when event_type = 'all' then bad_events end), 0) as all_bad_events,
        coalesce(sum(case when event_type <> 'all' then bad_events end), 0) as bad_events,
        coalesce(sum(case when event_type <> 'all' then silent_bad_events end), 0) as silent_bad_events
    from {{ ref('fct_complaint_rates') }}

),

recovery as (

    select coalesce(sum(customers), 0) as customers
    from {{ ref('fct_service_recovery') }}
    where event_type = 'all'

)

select
    customers.decided_bad_events,
    kinds.all_bad_events,
    kinds.bad_events,
    customers.silent_bad_events,
    kinds.silent_bad_events as silent_bad_events_of_kinds,
    customers.customers,
    recovery.customers as customers_in_recovery

from customers
cross join kinds
cross join recovery
where
    customers.decided_bad_events <> kinds.all_bad_events
    or customers.decided_bad_events <> kinds.bad_events
    or customers.silent_bad_events <> kinds.silent_bad_events
    or customers.customers <> recovery.customers

-- Sessions of the night, those of testers among them, hold every event that staging knows, and each order's purchase once.
with

delivered as (

    select
        count(*) as events,
        count(distinct case when event_type = 'purchase' then coalesce(order_id, event_id) end) as purchases
    from {{ ref('stg_web_events') }}
    where
        not is_deleted
        and {{ is_known('event_at') }}

),

in_sessions as (

    select
        sum(event_count) as events,
        sum(purchase_count) as purchases,
        count(distinct order_id) as first_orders,
        count(order_id) as sessions_with_an_order
    from {{ ref('int_web__sessions') }}

),

not_sold as (

    select count(distinct events.order_id) as orders
    from {{ ref('stg_web_events') }} as events
    inner join {{ ref('int_orders__valued') }} as orders on events.order_id = orders.order_id
    where
        not events.is_deleted
        and {{ is_known('events.event_at') }}
        and events.event_type = 'purchase'
        and not orders.is_sale

)

select
    delivered.events as delivered_events,
    in_sessions.events as events_in_sessions,
    delivered.purchases as delivered_purchases,
    in_sessions.purchases as purchases_in_sessions,
    not_sold.orders as orders_not_sold
from delivered
cross join in_sessions
cross join not_sold
where
    coalesce(in_sessions.events, 0) <> delivered.events
    or coalesce(in_sessions.purchases, 0) <> delivered.purchases - not_sold.orders
    or in_sessions.first_orders <> in_sessions.sessions_with_an_order

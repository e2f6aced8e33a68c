-- Every message of staging but those to testers is one row, and the weeks of campaigns hold each of them once, both one by
-- one and as a whole; no order is won twice.
with

delivered as (

    select
        count(distinct events.message_id) as messages,
        count(distinct case when events.event_type = 'click' then events.message_id end) as clicked
    from {{ ref('stg_message_events') }} as events
    left join {{ ref('int_identity__map') }} as identity_map on events.customer_id = identity_map.source_customer_id
    where
        not events.is_deleted
        and {{ is_known('events.event_at') }}
        and not coalesce(identity_map.is_test, false)

),

told as (

    select
        count(*) as messages,
        count(*) filter (where is_clicked) as clicked,
        count(*) filter (where is_sent) as sent
    from {{ ref('fct_messages') }}

),

weeks as (

    select
        coalesce(sum(case when campaign_id <> 'all' then sent + suppressed end), 0) as messages,
        coalesce(sum(case when campaign_id <> 'all' then clicks end), 0) as clicked,
        coalesce(sum(case when campaign_id = 'all' then sent end), 0) as sent,
        coalesce(sum(case when campaign_id <> 'all' then attributed_orders end), 0) as won,
        coalesce(sum(case when campaign_id = 'all' then attributed_orders end), 0) as won_in_all
    from {{ ref('fct_campaign_results') }}

),

won_at_most as (

    select count(*) as orders
    from {{ ref('fct_orders') }}
    where is_valid_order and customer_id is not null

)

select
    delivered.messages as delivered_messages,
    delivered.clicked as delivered_clicked,
    told.messages as told_messages,
    told.clicked as told_clicked,
    told.sent as told_sent,
    weeks.*,
    won_at_most.orders
from delivered
cross join told
cross join weeks
cross join won_at_most
where
    delivered.messages <> told.messages
    or delivered.clicked <> told.clicked
    or weeks.messages <> told.messages
    or weeks.clicked <> told.clicked
    or weeks.sent <> told.sent
    or weeks.won <> weeks.won_in_all
    or weeks.won > won_at_most.orders

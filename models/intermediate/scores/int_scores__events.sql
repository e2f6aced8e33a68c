with

orders as (

    select * from {{ ref('int_scores__orders') }}

),

parcels as (

    select * from {{ ref('int_deliveries__parcels') }}

),

return_items as (

    select * from {{ ref('int_returns__items') }}

),

valued_orders as (

    select * from {{ ref('int_orders__valued') }}
    where is_sale and customer_id is not null

),

terms as (

    select * from {{ ref('int_membership__terms') }}

),

spells as (

    select * from {{ ref('int_membership__spells') }}

),

benefit_usage as (

    select * from {{ ref('stg_membership_benefit_usage') }}
    where
        not is_deleted
        and {{ is_known('used_at') }}

),

members as (

    select distinct
        membership_id,
        customer_id
    from terms

),

events as (

    select
        customer_id,
        'parcel_days_late' as event_name,
        delivered_date as event_date,
        days_late as amount
    from parcels
    where delivered_date is not null and days_late is not null

    union all

    select
        valued_orders.customer_id,
        'returned_unit' as event_name,
        greatest(return_items.requested_date, valued_orders.ordered_date) as event_date,
        return_items.returned_quantity as amount
    from return_items
    inner join valued_orders on return_items.order_id = valued_orders.order_id

    union all

    select
        customer_id,
        'order_given_back' as event_name,
        voided_date as event_date,
        net_amount as amount
    from orders
    where voided_date is not null

    union all

    select
        customer_id,
        'membership_term' as event_name,
        -- A term that is paid late is known to be one when the money came.
        greatest(covered_from, coalesce(paid_date, covered_from)) as event_date,
        fee_paid_amount as amount
    from terms
    where covered_from is not null

    union all

    select
        customer_id,
        'membership_cancellation' as event_name,
        cancel_requested_date as event_date,
        {{ days_between('started_date', 'cancel_requested_date') }} as amount
    from spells
    where cancel_requested_date is not null

    union all

    select
        members.customer_id,
        'membership_benefit' as event_name,
        {{ shop_day('benefit_usage.used_at') }} as event_date,
        benefit_usage.retail_value_amount as amount
    from benefit_usage
    inner join members on benefit_usage.membership_id = members.membership_id

),

final as (

    select
        -- keys
        customer_id,
        event_name,
        event_date,

        -- measures
        cast(sum(amount) as double) as amount

    from events
    where
        customer_id is not null
        -- What lies after the night is not known to it.
        and event_date <= {{ as_of_date() }}
    group by 1, 2, 3

)

select * from final

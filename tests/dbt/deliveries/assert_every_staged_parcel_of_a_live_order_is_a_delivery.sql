-- Parcels and their cost, counted in staging without the steps in between.
with

staged as (

    select
        count(*) as parcels,
        coalesce(sum(shipments.cost_amount), 0) as cost_amount
    from {{ ref('stg_shipments') }} as shipments
    inner join {{ ref('stg_orders') }} as orders on shipments.order_id = orders.order_id
    where
        not shipments.is_deleted
        and not orders.is_deleted
        and not coalesce(orders.is_test, false)
        and {{ shop_day('shipments.shipped_at') }} <= {{ as_of_date() }}
        and {{ shop_day('orders.ordered_at') }} <= {{ as_of_date() }}

),

delivered as (

    select
        count(*) as parcels,
        coalesce(sum(shipping_cost_amount), 0) as cost_amount
    from {{ ref('fct_deliveries') }}

)

select
    staged.parcels as staged_parcels,
    delivered.parcels as mart_parcels,
    staged.cost_amount as staged_cost_amount,
    delivered.cost_amount as mart_cost_amount

from staged
cross join delivered
where staged.parcels <> delivered.parcels or staged.cost_amount <> delivered.cost_amount

-- The same verdict in both marts: one late parcel breaks the order's promise, one undecided parcel leaves it open.
with

parcels as (

    select
        order_id,
        count(*) as parcels,
        count(*) filter (where is_promise_kept) as kept_parcels,
        count(*) filter (where not is_promise_kept) as broken_parcels
    from {{ ref('fct_deliveries') }}
    group by 1

)

select
    orders.order_id,
    orders.promise_kept,
    parcels.parcels,
    parcels.kept_parcels,
    parcels.broken_parcels

from {{ ref('fct_orders') }} as orders
inner join parcels on orders.order_id = parcels.order_id
where
    (orders.promise_kept is true) <> (parcels.kept_parcels = parcels.parcels)
    or (orders.promise_kept is false) <> (parcels.broken_parcels > 0)

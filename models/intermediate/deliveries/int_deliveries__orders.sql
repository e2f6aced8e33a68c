with

orders as (

    select * from {{ ref('int_orders__valued') }}
    where is_sale and not is_exchange

),

order_lines as (

    select * from {{ ref('int_orders__lines') }}
    where not is_deleted

),

parcels as (

    select * from {{ ref('int_deliveries__parcels') }}

),

-- Goods that can come back: a gift card is a debt and an insert was never asked for.
goods_per_order as (

    select
        order_id,
        cast(sum(quantity) as bigint) as unit_count,
        {{ money_sum('gross_amount - discount_amount') }} as goods_amount

    from order_lines
    where not is_gift_card and not is_gift_insert
    group by 1

),

parcels_per_order as (

    select
        order_id,
        cast(count(*) as bigint) as parcel_count,
        cast(count(*) filter (where parcel_status = 'in_transit') as bigint) as parcels_in_transit,
        -- A parcel of which no more is known than that it left counts from there.
        max(case
            when parcel_status in ('delivered', 'untracked') then coalesce(delivered_date, shipped_date)
        end) as last_delivered_date

    from parcels
    group by 1

),

first_parcel as (

    select min(shipped_date) as first_shipped_date from parcels

),

delivered as (

    select
        orders.order_id,
        orders.customer_id,
        orders.ordered_date,
        goods_per_order.unit_count,
        goods_per_order.goods_amount,
        coalesce(parcels_per_order.parcel_count, 0) as parcel_count,
        -- The last parcel counts. Goods of the store, and of a time from which no parcels are known, were in the
        -- customer's hands on the day of the order.
        case
            when parcels_per_order.order_id is not null
                then case when parcels_per_order.parcels_in_transit = 0 then parcels_per_order.last_delivered_date end
            when
                lower(orders.channel) = 'store'
                or first_parcel.first_shipped_date is null
                or orders.ordered_date < first_parcel.first_shipped_date
                then orders.ordered_date
        end as delivered_date

    from orders
    inner join goods_per_order on orders.order_id = goods_per_order.order_id
    left join parcels_per_order on orders.order_id = parcels_per_order.order_id
    cross join first_parcel

),

final as (

    select
        -- keys
        order_id,
        customer_id,

        -- measures
        unit_count,
        goods_amount,
        parcel_count,

        -- times
        ordered_date,
        delivered_date,
        {{ add_days('delivered_date', var('return_window_days')) }} as return_window_end_date

    from delivered

)

select * from final

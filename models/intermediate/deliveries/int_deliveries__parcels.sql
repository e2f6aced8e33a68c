with

shipments as (

    select * from {{ ref('stg_shipments') }}
    where
        not is_deleted
        and {{ is_known('shipped_at') }}

),

orders as (

    select
        order_id,
        is_test
    from {{ ref('stg_orders') }}
    where not is_deleted

),

valued_orders as (

    select * from {{ ref('int_orders__valued') }}

),

known as (

    select
        shipments.*,
        valued_orders.customer_id,
        valued_orders.ordered_date,
        {{ shop_day('shipments.shipped_at') }} as shipped_date,
        {{ shop_day('shipments.promised_at_first') }} as promised_date,
        {{ shop_day('shipments.promised_at_latest') }} as latest_promised_date,
        {{ shop_day('shipments.delivered_at') }} as arrival_date

    from shipments
    inner join orders on shipments.order_id = orders.order_id
    inner join valued_orders on shipments.order_id = valued_orders.order_id
    where not coalesce(orders.is_test, false)

),

-- A day after the night is not known to it: then the parcel was still on its way.
judged as (

    select
        *,
        case
            when delivery_status in ('lost', 'returned_to_sender') then delivery_status
            when arrival_date <= {{ as_of_date() }} then 'delivered'
            when delivery_status = 'delivered' and arrival_date is null then 'delivered'
            -- A shop that learns nothing from its carriers has no late parcels, only unknown ones.
            when delivery_status is null and arrival_date is null then 'untracked'
            else 'in_transit'
        end as parcel_status

    from known

),

final as (

    select
        -- keys
        shipment_id,
        order_id,
        customer_id,

        -- measures
        case
            when parcel_status = 'delivered'
                then {{ days_between('promised_date', 'arrival_date') }}
        end as days_late,
        cast(coalesce(cost_amount, 0) as decimal(18, 2)) as shipping_cost_amount,

        -- attributes
        coalesce(carrier, 'unknown') as carrier,
        coalesce(service_level, 'unknown') as service_level,
        parcel_status,

        -- flags
        -- Judged by the promise first shown: one that moves along with the delay would always be kept.
        case
            when promised_date is null then cast(null as boolean)
            when parcel_status in ('lost', 'returned_to_sender') then false
            when parcel_status = 'delivered' then arrival_date <= promised_date
            when parcel_status = 'in_transit' and promised_date <= {{ as_of_date() }} then false
        end as is_promise_kept,
        coalesce(latest_promised_date > promised_date, false) as has_promise_moved,
        coalesce(address_changed, false) as is_address_changed,

        -- times
        ordered_date,
        shipped_date,
        promised_date,
        latest_promised_date,
        case when parcel_status = 'delivered' then arrival_date end as delivered_date

    from judged

)

select * from final

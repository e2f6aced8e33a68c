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

shipment_events as (

    select * from {{ ref('stg_shipment_events') }}
    where
        not is_deleted
        and {{ is_known('event_at') }}

),

-- Of parcels from before the first event nobody knows whether their customers were told.
first_event as (

    select min(event_at) as first_event_at from shipment_events

),

notices as (

    select
        shipment_id,
        min(case when event_type = 'delay_notice' then event_at end) as first_delay_notice_at,
        bool_or(event_type = 'address_changed') as has_address_event

    from shipment_events
    where event_type in ('delay_notice', 'address_changed')
    group by 1

),

known as (

    select
        shipments.*,
        valued_orders.customer_id,
        valued_orders.ordered_date,
        {{ shop_day('shipments.shipped_at') }} as shipped_date,
        {{ shop_day('shipments.promised_at_first') }} as promised_date,
        {{ shop_day('shipments.promised_at_latest') }} as latest_promised_date,
        {{ shop_day('shipments.delivered_at') }} as arrival_date,
        notices.first_delay_notice_at,
        case
            when notices.first_delay_notice_at is not null then true
            when shipments.shipped_at >= first_event.first_event_at then false
        end as has_delay_notice,
        coalesce(shipments.address_changed, false) or coalesce(notices.has_address_event, false) as is_address_changed

    from shipments
    inner join orders on shipments.order_id = orders.order_id
    inner join valued_orders on shipments.order_id = valued_orders.order_id
    left join notices on shipments.shipment_id = notices.shipment_id
    cross join first_event
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

verdicts as (

    select
        *,
        -- Judged by the promise first shown: one that moves along with the delay would always be kept.
        case
            when promised_date is null then cast(null as boolean)
            when parcel_status in ('lost', 'returned_to_sender') then false
            when parcel_status = 'delivered' then arrival_date <= promised_date
            when parcel_status = 'in_transit' and promised_date <= {{ as_of_date() }} then false
        end as is_promise_kept,
        -- The promise breaks when the promised day is over, on the shop's clock.
        {{ to_utc('cast(' ~ add_days('promised_date', 1) ~ ' as timestamp)', "'" ~ var('shop_timezone') ~ "'") }}
            as promise_ends_at

    from judged

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
        -- Negative where the customer was told before the promise broke.
        case
            when not is_promise_kept
                then {{ seconds_between('promise_ends_at', 'first_delay_notice_at') }} / 3600
        end as delay_notice_hours,
        cast(coalesce(cost_amount, 0) as decimal(18, 2)) as shipping_cost_amount,

        -- attributes
        coalesce(carrier, 'unknown') as carrier,
        coalesce(service_level, 'unknown') as service_level,
        parcel_status,

        -- flags
        is_promise_kept,
        coalesce(latest_promised_date > promised_date, false) as has_promise_moved,
        is_address_changed,
        has_delay_notice,
        -- What concerns an order of several parcels is counted with one of them: with the one that broke its promise.
        row_number() over (
            partition by order_id
            order by
                case when is_promise_kept then 2 when not is_promise_kept then 1 else 3 end asc nulls last,
                shipped_date asc nulls last,
                shipment_id asc nulls last
        ) = 1 as is_leading_parcel,

        -- times
        ordered_date,
        shipped_date,
        promised_date,
        latest_promised_date,
        case when parcel_status = 'delivered' then arrival_date end as delivered_date

    from verdicts

)

select * from final

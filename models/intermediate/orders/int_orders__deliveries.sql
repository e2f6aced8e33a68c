with

shipments as (

    select * from {{ ref('stg_shipments') }}
    where not is_deleted

),

-- A delivery of the day after as_of_date has not happened yet for this night.
parcels as (

    select
        order_id,
        {{ shop_day('shipped_at') }} as shipped_date,
        {{ shop_day('promised_at_first') }} as promised_date,
        case when {{ shop_day('delivered_at') }} <= {{ as_of_date() }} then {{ shop_day('delivered_at') }} end
            as delivered_date,
        delivery_status

    from shipments
    where {{ shop_day('shipped_at') }} <= {{ as_of_date() }}

),

judged as (

    select
        *,
        -- Against the promise first shown: the promise that moves with the parcel is always kept.
        case
            when promised_date is null then null
            when delivered_date is not null then delivered_date <= promised_date
            -- Overdue and not there is broken already; without a tracked state nobody knows.
            when promised_date <= {{ as_of_date() }} and delivery_status is not null and delivery_status != 'delivered'
                then false
        end as is_promise_kept

    from parcels

),

final as (

    select
        -- keys
        order_id,

        -- measures
        cast(count(*) as bigint) as parcel_count,

        -- flags: one late parcel breaks the order's promise, one unknown parcel leaves it open
        case
            when bool_or(not is_promise_kept) then false
            when count(is_promise_kept) = count(*) then true
        end as is_promise_kept,

        -- times
        min(shipped_date) as first_shipped_date,
        case when count(delivered_date) = count(*) then max(delivered_date) end as delivered_date,
        max(coalesce(delivered_date, shipped_date)) as last_known_date

    from judged
    group by 1

)

select * from final

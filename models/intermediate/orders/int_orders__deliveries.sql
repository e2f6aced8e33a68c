with

parcels as (

    select * from {{ ref('int_deliveries__parcels') }}

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

    from parcels
    group by 1

)

select * from final

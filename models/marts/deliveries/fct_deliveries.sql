with

parcels as (

    select * from {{ ref('int_deliveries__parcels') }}

),

final as (

    select
        -- keys
        shipment_id,
        order_id,
        customer_id,

        -- measures
        days_late,
        delay_notice_hours,
        shipping_cost_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        carrier,
        service_level,
        parcel_status,

        -- flags
        is_promise_kept,
        has_promise_moved,
        is_address_changed,
        has_delay_notice,

        -- times
        ordered_date,
        shipped_date,
        promised_date,
        latest_promised_date,
        delivered_date,
        {{ as_of_date() }} as as_of_date

    from parcels

)

select * from final

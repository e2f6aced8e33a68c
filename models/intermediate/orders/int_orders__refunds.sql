with

refunds as (

    select * from {{ ref('stg_refunds') }}
    where not is_deleted

),

orders as (

    select * from {{ ref('stg_orders') }}
    where not is_deleted

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

final as (

    select
        -- keys
        md5(concat_ws('|', refunds.refund_id, coalesce(refunds.order_line_id, ''))) as refund_line_id,
        refunds.refund_id,
        refunds.order_line_id,
        refunds.order_id,
        refunds.return_id,
        identity_map.customer_id,

        -- measures, in the shop's currency at the rate of the order: the money goes back at the price it came in
        {{ in_shop_currency('refunds.amount', order_rate('orders')) }} as refund_amount,
        {{ in_shop_currency('coalesce(refunds.tax_amount, 0)', order_rate('orders')) }} as tax_amount,
        {{ in_shop_currency('coalesce(refunds.shipping_amount, 0)', order_rate('orders')) }} as shipping_amount,

        -- attributes
        refunds.refund_destination,
        refunds.reason as refund_reason,

        -- times
        orders.ordered_at,
        {{ shop_day('orders.ordered_at') }} as ordered_date,
        refunds.issued_at as refunded_at,
        {{ shop_day('refunds.issued_at') }} as refunded_date

    from refunds
    inner join orders on refunds.order_id = orders.order_id
    left join identity_map
        on {{ source_customer_id('orders.customer_id', 'orders.email') }} = identity_map.source_customer_id
    -- What was not yet known that night does not exist for it.
    where {{ shop_day('refunds.issued_at') }} <= {{ as_of_date() }}

)

select * from final

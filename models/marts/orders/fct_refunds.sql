with

refunds as (

    select * from {{ ref('int_orders__refunds') }}

),

orders as (

    select * from {{ ref('int_orders__valued') }}
    where not is_test_order

),

final as (

    select
        -- keys
        refunds.refund_line_id,
        refunds.refund_id,
        refunds.order_id,
        refunds.order_line_id,
        refunds.return_id,
        refunds.customer_id,

        -- measures
        refunds.refund_amount,
        refunds.gift_card_refund_amount,
        cast(refunds.refund_amount - refunds.gift_card_refund_amount as decimal(18, 2)) as net_refund_amount,
        refunds.tax_amount,
        refunds.shipping_amount,
        {{ days_between('refunds.ordered_date', 'refunds.refunded_date') }} as days_to_refund,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        refunds.refund_destination,
        refunds.refund_source,

        -- flags: money back for an order that is no sale never lowers revenue, since none was booked
        orders.is_sale,

        -- times
        refunds.ordered_date,
        refunds.refunded_date,
        {{ as_of_date() }} as as_of_date

    from refunds
    inner join orders on refunds.order_id = orders.order_id

)

select * from final

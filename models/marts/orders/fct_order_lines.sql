with

order_lines as (

    select * from {{ ref('int_orders__lines') }}
    where not is_deleted

),

orders as (

    select * from {{ ref('int_orders__valued') }}
    where not is_test_order

),

products as (

    select * from {{ ref('stg_products') }}
    where not is_deleted

),

refunds as (

    select
        order_line_id,
        {{ money_sum('refund_amount') }} as refund_amount
    from {{ ref('int_orders__refunds') }}
    where order_line_id is not null
    group by 1

),

final as (

    select
        -- keys
        order_lines.order_line_id,
        order_lines.order_id,
        orders.customer_id,
        order_lines.variant_id,

        -- measures
        order_lines.quantity,
        order_lines.gross_amount,
        order_lines.discount_amount,
        cast(order_lines.gross_amount - order_lines.discount_amount as decimal(18, 2)) as net_before_refunds_amount,
        order_lines.tax_amount,
        order_lines.cogs_amount,
        cast(coalesce(refunds.refund_amount, 0) as decimal(18, 2)) as line_refund_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        products.product_id,
        products.brand,
        products.category_l1,
        products.category_l2,
        products.category_l3,

        -- flags
        orders.is_sale,
        orders.is_valid_order,
        order_lines.is_gift_card,
        order_lines.is_gift_insert,
        order_lines.is_cost_known,

        -- times
        orders.ordered_date,
        {{ as_of_date() }} as as_of_date

    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    left join products on order_lines.variant_id = products.variant_id
    left join refunds on order_lines.order_line_id = refunds.order_line_id

)

select * from final

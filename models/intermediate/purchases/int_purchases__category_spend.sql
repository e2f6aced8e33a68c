with

order_lines as (

    select * from {{ ref('int_orders__lines') }}
    where not is_deleted

),

orders as (

    select * from {{ ref('int_orders__valued') }}
    where is_valid_order and customer_id is not null

),

products as (

    select * from {{ ref('stg_products') }}
    where not is_deleted

),

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

final as (

    select
        -- keys
        orders.customer_id,
        coalesce(products.category_l1, 'unknown') as category,

        -- measures
        {{ money_sum('order_lines.gross_amount - order_lines.discount_amount') }} as net_before_refunds_amount,
        {{ money_sum(
            'case when orders.ordered_date = customers.first_ordered_date'
            ~ ' then order_lines.gross_amount - order_lines.discount_amount else 0 end') }} as first_day_amount,
        bool_or(orders.ordered_date = customers.first_ordered_date) as is_in_first_purchase

    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    inner join customers on orders.customer_id = customers.customer_id
    left join products on order_lines.variant_id = products.variant_id
    where not order_lines.is_gift_insert
    group by 1, 2

)

select * from final

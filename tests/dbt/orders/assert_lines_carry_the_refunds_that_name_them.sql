select
    orders.order_id,
    orders.refund_amount,
    sum(order_lines.line_refund_amount) as line_refund_amount

from {{ ref('fct_order_lines') }} as order_lines
inner join {{ ref('fct_orders') }} as orders on order_lines.order_id = orders.order_id
left join (
    select
        order_id,
        sum(refund_amount) as order_level_refund_amount
    from {{ ref('fct_refunds') }}
    where order_line_id is null
    group by 1
) as order_level on orders.order_id = order_level.order_id
group by 1, 2, order_level.order_level_refund_amount
having sum(order_lines.line_refund_amount) + coalesce(order_level.order_level_refund_amount, 0) <> orders.refund_amount

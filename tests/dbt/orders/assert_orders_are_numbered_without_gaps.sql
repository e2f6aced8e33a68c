select
    customer_id,
    count(*) as valid_orders,
    count(distinct order_number) as numbers,
    min(order_number) as first_number,
    max(order_number) as last_number

from {{ ref('fct_orders') }}
where is_valid_order and customer_id is not null
group by 1
having min(order_number) <> 1 or max(order_number) <> count(*) or count(distinct order_number) <> count(*)

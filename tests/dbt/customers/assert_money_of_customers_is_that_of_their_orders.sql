with

orders as (

    select
        customer_id,
        count(*) as sale_count,
        count(*) filter (where is_valid_order) as order_count,
        sum(net_amount) as net_amount,
        sum(contribution_margin_amount) as contribution_margin_amount,
        min(ordered_date) filter (where is_valid_order) as first_ordered_date,
        max(ordered_date) filter (where is_valid_order) as last_ordered_date

    from {{ ref('fct_orders') }}
    where is_sale and customer_id is not null
    group by 1

),

customers as (

    select * from {{ ref('dim_customers') }}

)

select
    coalesce(customers.customer_id, orders.customer_id) as customer_id,
    customers.sale_count,
    orders.sale_count as sale_count_of_orders,
    customers.order_count,
    orders.order_count as order_count_of_orders,
    customers.net_amount,
    orders.net_amount as net_amount_of_orders,
    customers.contribution_margin_amount,
    orders.contribution_margin_amount as contribution_margin_amount_of_orders

from customers
full outer join orders on customers.customer_id = orders.customer_id
where
    customers.customer_id is null
    or customers.sale_count <> coalesce(orders.sale_count, 0)
    or customers.order_count <> coalesce(orders.order_count, 0)
    or customers.net_amount <> coalesce(orders.net_amount, 0)
    or customers.contribution_margin_amount <> coalesce(orders.contribution_margin_amount, 0)
    or customers.first_ordered_date is distinct from orders.first_ordered_date
    or customers.last_ordered_date is distinct from orders.last_ordered_date

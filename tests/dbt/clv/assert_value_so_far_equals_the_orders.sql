-- Vertical reconciliation: the margin of customers with a purchase is the margin of all their sales.
with

marts as (

    select
        sum(contribution_margin_amount) as mart_margin,
        sum(net_amount) as mart_net
    from {{ ref('fct_customer_value') }}

),

orders as (

    select
        sum(contribution_margin_amount) as order_margin,
        sum(net_amount) as order_net
    from {{ ref('int_orders__valued') }}
    where
        is_sale
        and customer_id in (
            select customer_id from {{ ref('int_orders__valued') }}
            where is_valid_order
        )

)

select * from marts
cross join orders
where
    coalesce(marts.mart_margin, 0) <> coalesce(orders.order_margin, 0)
    or coalesce(marts.mart_net, 0) <> coalesce(orders.order_net, 0)

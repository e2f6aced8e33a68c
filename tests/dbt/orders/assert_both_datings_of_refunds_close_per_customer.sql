-- Over all time a refund taken back to its order and a refund booked on its own day are the same money.
with

orders as (

    select * from {{ ref('fct_orders') }}
    where is_sale

),

refunds as (

    select * from {{ ref('fct_refunds') }}
    where is_sale

),

order_dated as (

    select
        coalesce(customer_id, 'unknown') as customer_id,
        sum(net_amount) as net_order_dated_amount,
        sum(net_before_refunds_amount) as net_before_refunds_amount

    from orders
    group by 1

),

paid_back as (

    select
        coalesce(customer_id, 'unknown') as customer_id,
        sum(net_refund_amount) as net_refund_amount

    from refunds
    group by 1

)

select
    coalesce(order_dated.customer_id, paid_back.customer_id) as customer_id,
    coalesce(order_dated.net_order_dated_amount, 0) as net_order_dated_amount,
    coalesce(order_dated.net_before_refunds_amount, 0) - coalesce(paid_back.net_refund_amount, 0)
        as net_refund_dated_amount

from order_dated
full outer join paid_back on order_dated.customer_id = paid_back.customer_id
where
    coalesce(order_dated.net_order_dated_amount, 0)
    <> coalesce(order_dated.net_before_refunds_amount, 0) - coalesce(paid_back.net_refund_amount, 0)

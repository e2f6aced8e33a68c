-- What the scores call a purchase, and what the marts call one, are the same days of the same customers.
with

orders as (

    select
        customer_id,
        ordered_date,
        count(*) as order_count
    from {{ ref('int_scores__orders') }}
    where voided_date is null
    group by 1, 2

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

)

select
    coalesce(orders.customer_id, occasions.customer_id) as customer_id,
    coalesce(orders.ordered_date, occasions.ordered_date) as ordered_date,
    orders.order_count as orders_of_the_ledger,
    occasions.order_count as orders_of_the_occasion

from orders
full join occasions
    on orders.customer_id = occasions.customer_id
    and orders.ordered_date = occasions.ordered_date
where coalesce(orders.order_count, 0) <> coalesce(occasions.order_count, 0)

-- By the delivered flag itself: no account that the shop calls a test is a customer or has an order.
with

test_accounts as (

    select customer_id from {{ ref('stg_customers') }}
    where is_test and not is_deleted

)

select
    customers.customer_id,
    'dim_customers' as found_in
from {{ ref('dim_customers') }} as customers
inner join test_accounts on customers.customer_id = test_accounts.customer_id
union all
select
    orders.source_customer_id as customer_id,
    'fct_orders' as found_in
from {{ ref('fct_orders') }} as orders
inner join test_accounts on orders.source_customer_id = test_accounts.customer_id

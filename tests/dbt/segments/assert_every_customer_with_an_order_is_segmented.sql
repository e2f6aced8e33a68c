-- Also the horizontal check: segments, churn and value speak of the same people.
with

customers as (

    select customer_id from {{ ref('int_purchases__customers') }}

),

segments as (

    select customer_id from {{ ref('fct_customer_segments') }}

)

select customer_id, 'not segmented' as problem from (select * from customers except select * from segments) as missing
union all
select customer_id, 'segmented without an order' as problem from (select * from segments except select * from customers) as extra

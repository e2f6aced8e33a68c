with

customers as (

    select * from {{ ref('stg_customers') }}
    where not is_deleted

),

orders as (

    select * from {{ ref('stg_orders') }}
    where not is_deleted

),

-- Addresses are compared hashed and in one spelling; the clear address goes no further than this.
seen_in_customers as (

    select
        customer_id as source_customer_id,
        {{ email_key('email') }} as email_key,
        created_at as seen_at
    from customers

),

seen_in_orders as (

    select
        {{ source_customer_id('customer_id', 'email') }} as source_customer_id,
        {{ email_key('email') }} as email_key,
        min(ordered_at) as seen_at
    from orders
    where {{ shop_day('ordered_at') }} <= {{ as_of_date() }}
    group by 1, 2

),

final as (

    select
        source_customer_id,
        email_key,
        min(seen_at) as first_seen_at

    from (
        select * from seen_in_customers
        union all
        select * from seen_in_orders
    ) as seen
    where source_customer_id is not null
    group by 1, 2

)

select * from final

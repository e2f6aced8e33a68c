with

customers as (

    select * from {{ ref('stg_customers') }}
    where
        not is_deleted
        -- What was not yet known that night does not exist for it.
        and (created_at is null or {{ is_known('created_at') }})

),

orders as (

    select * from {{ ref('stg_orders') }}
    where
        not is_deleted
        and {{ is_known('ordered_at') }}

),

memberships as (

    select * from {{ ref('stg_memberships') }}
    where
        not is_deleted
        and {{ is_known('joined_at') }}

),

-- Addresses and names are compared hashed and in one spelling; the clear ones go no further than this.
seen_in_customers as (

    select
        customer_id as source_customer_id,
        {{ email_key('email') }} as email_key,
        {{ name_key('first_name', 'last_name') }} as name_key,
        created_at as seen_at,
        cast(null as {{ string_type() }}) as guest_order,
        coalesce(is_test, false) as is_test_account,
        coalesce(is_test, false) as is_test
    from customers

),

seen_in_orders as (

    select
        {{ source_customer_id('customer_id', 'email') }} as source_customer_id,
        {{ email_key('email') }} as email_key,
        cast(null as {{ string_type() }}) as name_key,
        ordered_at as seen_at,
        -- sorts by time, then by id
        case when customer_id is null
            then concat_ws('|', cast(ordered_at as {{ string_type() }}), order_id)
        end as guest_order,
        false as is_test_account,
        coalesce(is_test, false) as is_test
    from orders

),

-- A member who never ordered, in a shop that delivers no customers, is known from here alone.
seen_in_memberships as (

    select
        customer_id as source_customer_id,
        cast(null as {{ string_type() }}) as email_key,
        cast(null as {{ string_type() }}) as name_key,
        joined_at as seen_at,
        cast(null as {{ string_type() }}) as guest_order,
        false as is_test_account,
        false as is_test
    from memberships

),

final as (

    select
        -- keys
        source_customer_id,
        email_key,

        -- attributes: an account has one name at a time
        min(name_key) as name_key,
        min(guest_order) as first_guest_order,

        -- flags: an account is a test by its own word, or because nothing but tests was ever seen of it
        bool_or(is_test_account) as is_test_account,
        bool_and(is_test) as has_only_tests,

        -- times
        min(seen_at) as first_seen_at

    from (
        select * from seen_in_customers
        union all
        select * from seen_in_orders
        union all
        select * from seen_in_memberships
    ) as seen
    where source_customer_id is not null
    group by 1, 2

)

select * from final

{%- set registration_days = 90 -%}

with

-- A sale whether it stands or came back: the checkout worked.
orders as (

    select
        *,
        {{ month_of('ordered_date') }} as checkout_month
    from {{ ref('fct_orders') }}
    where is_sale and not is_exchange

),

sessions as (

    select
        *,
        {{ month_of('session_date') }} as checkout_month
    from {{ ref('fct_sessions') }}
    where
        not is_suspected_bot
        and furthest_step in ('checkout', 'purchase')

),

-- From then on the person orders with an account.
first_account_orders as (

    select
        customer_id,
        min(ordered_date) as first_account_date
    from orders
    where checkout_method in ('account', 'one_click', 'subscription') and customer_id is not null
    group by 1

),

methods as (

    select
        orders.checkout_month,
        orders.checkout_method,
        count(*) as orders,
        count(distinct case
            when first_account_orders.first_account_date is null
                or first_account_orders.first_account_date > orders.ordered_date
                then orders.customer_id
        end) as unregistered_customers,
        count(distinct case
            when first_account_orders.first_account_date > orders.ordered_date
                and first_account_orders.first_account_date <= {{ add_days('orders.ordered_date', registration_days) }}
                then orders.customer_id
        end) as registered_customers
    from orders
    left join first_account_orders on orders.customer_id = first_account_orders.customer_id
    group by 1, 2

),

-- Who leaves has chosen no method yet; who is logged in goes the way of the account.
checkouts as (

    select
        checkout_month,
        case when is_logged_in then 'account' else 'guest' end as checkout_method,
        count(*) as checkout_sessions,
        count(*) filter (where has_purchased) as completed_sessions
    from sessions
    group by 1, 2

),

months as (

    select
        coalesce(methods.checkout_month, checkouts.checkout_month) as checkout_month,
        coalesce(methods.checkout_method, checkouts.checkout_method) as checkout_method,
        cast(coalesce(methods.orders, 0) as bigint) as orders,
        cast(methods.unregistered_customers as bigint) as unregistered_customers,
        cast(methods.registered_customers as bigint) as registered_customers,
        cast(checkouts.checkout_sessions as bigint) as checkout_sessions,
        cast(checkouts.completed_sessions as bigint) as completed_sessions
    from methods
    full outer join checkouts
        on methods.checkout_month = checkouts.checkout_month
        and methods.checkout_method = checkouts.checkout_method

),

dated as (

    select
        *,
        cast(sum(orders) over (partition by checkout_month) as bigint) as month_orders,
        {{ add_days(add_months('checkout_month', 1), -1) }} <= {{ as_of_date() }} as is_mature,
        checkout_method = 'guest'
        and {{ add_days(add_months('checkout_month', 1), registration_days - 1) }} <= {{ as_of_date() }}
            as is_registration_mature
    from months

),

final as (

    select
        -- keys
        checkout_method,
        checkout_month,

        -- measures
        orders,
        case when is_mature then {{ ratio('orders', 'month_orders') }} end as order_share,
        checkout_sessions,
        completed_sessions,
        case when is_mature then {{ ratio('completed_sessions', 'checkout_sessions') }} end as completion_rate,
        case when is_mature then {{ wilson_low('completed_sessions', 'checkout_sessions') }} end as completion_rate_low,
        case when is_mature then {{ wilson_high('completed_sessions', 'checkout_sessions') }} end as completion_rate_high,
        case when is_registration_mature then unregistered_customers end as guest_customers,
        case when is_registration_mature then registered_customers end as registered_customers,
        case when is_registration_mature then {{ ratio('registered_customers', 'unregistered_customers') }} end
            as next_90d_registration_rate,

        -- flags
        is_mature,
        is_registration_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

{{ config(materialized='view') }}
{%- set night = end_of_night() -%}
{%- set longest = [audience_days('abandoned_cart'), audience_days('retargeting')] | max -%}

with

-- Who was only carried forward on the device may be another person in the household: nobody is written to about what
-- somebody else looked at.
sessions as (

    select * from {{ ref('int_web__sessions') }}
    where
        recognised_by in ('account', 'order')
        and not is_suspected_bot
        and not is_test_session
        and ended_at >= {{ night }} - interval {{ longest }} day

),

events as (

    select * from {{ ref('int_web__session_events') }}
    where
        event_at >= {{ night }} - interval {{ longest }} day
        and event_type in ('product_view', 'add_to_cart', 'remove_from_cart', 'purchase')

),

orders as (

    select * from {{ ref('int_orders__valued') }}
    where
        is_sale
        and customer_id is not null
        and ordered_at >= {{ night }} - interval {{ longest }} day

),

customer_events as (

    select
        sessions.customer_id,
        events.event_id,
        events.event_type,
        events.event_at,
        events.variant_id,
        coalesce(events.quantity, 1) as quantity
    from events
    inner join sessions on events.visit_key = sessions.visit_key

),

-- Whatever was bought, and wherever: a basket that was left on the site may have been fetched in the store.
purchases as (

    select
        customer_id,
        max(bought_at) as bought_at
    from (
        select
            customer_id,
            ordered_at as bought_at
        from orders
        union all
        select
            customer_id,
            event_at as bought_at
        from customer_events
        where event_type = 'purchase'
    ) as bought
    group by 1

),

visitors as (

    select
        customer_id,
        max(ended_at) as last_seen_at
    from sessions
    group by 1

),

-- Who was here a moment before the night is still shopping.
since_purchase as (

    select
        customer_events.customer_id,
        customer_events.event_id,
        customer_events.event_type,
        customer_events.event_at,
        customer_events.variant_id,
        customer_events.quantity
    from customer_events
    inner join visitors on customer_events.customer_id = visitors.customer_id
    left join purchases on customer_events.customer_id = purchases.customer_id
    where
        coalesce(customer_events.event_at > purchases.bought_at, true)
        and visitors.last_seen_at < {{ night }} - interval {{ var('web_session_timeout_minutes') }} minute

),

cart_lines as (

    select
        customer_id,
        variant_id,
        sum(case when event_type = 'add_to_cart' then quantity else -quantity end) as units,
        max(case when event_type = 'add_to_cart' then event_at end) as added_at
    from since_purchase
    where
        event_type in ('add_to_cart', 'remove_from_cart')
        and event_at >= {{ night }} - interval {{ audience_days('abandoned_cart') }} day
    group by 1, 2

),

carts as (

    select
        *,
        count(*) over (partition by customer_id) as line_count,
        row_number() over (
            partition by customer_id order by added_at desc nulls last, variant_id asc nulls last
        ) as recency
    from cart_lines
    where units > 0

),

abandoned_cart as (

    select
        customer_id,
        {{ shop_day('added_at') }} as occasion_date,
        variant_id,
        {{ count_in_words('line_count', 'product', 'products') }} || ' left in the basket on '
            || {{ day_in_words(shop_day('added_at')) }} || '.' as reason
    from carts
    where recency = 1

),

views as (

    select
        customer_id,
        variant_id,
        event_at,
        count(*) over (partition by customer_id) as view_count,
        row_number() over (
            partition by customer_id order by event_at desc nulls last, event_id asc nulls last
        ) as recency
    from since_purchase
    where
        event_type = 'product_view'
        and event_at >= {{ night }} - interval {{ audience_days('retargeting') }} day

),

retargeting as (

    select
        customer_id,
        {{ shop_day('event_at') }} as occasion_date,
        variant_id,
        {{ count_in_words('view_count', 'product view', 'product views') }} || ' without a purchase, the last on '
            || {{ day_in_words(shop_day('event_at')) }} || '.' as reason
    from views
    where recency = 1

),

final as (

    {% for audience in ['abandoned_cart', 'retargeting'] -%}
    select
        '{{ audience }}' as audience,
        customer_id,
        occasion_date,
        cast(null as {{ string_type() }}) as order_id,
        variant_id,
        reason
    from {{ audience }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final

{#- How much one day's act says of a customer's interest in a variant (DECISIONS.md, "What an act is worth to a
    recommendation"). A rating has its own. -#}
{%- set weights = var('interaction_weights') -%}

with

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where
        not is_test
        and not is_erased

),

orders as (

    select * from {{ ref('int_orders__valued') }}
    -- An erased person is in the books and is recommended nothing.
    where
        is_valid_order
        and not is_test_order
        and customer_id not like 'erased:%'

),

order_lines as (

    select * from {{ ref('int_orders__lines') }}
    where not is_deleted

),

sessions as (

    select * from {{ ref('int_web__sessions') }}
    where
        not is_test_session
        and not is_suspected_bot

),

events as (

    select * from {{ ref('int_web__session_events') }}
    where
        event_type in ('product_view', 'add_to_cart')
        and variant_id is not null

),

reviews as (

    select * from {{ ref('stg_reviews') }}
    where
        not is_deleted
        and {{ is_known('created_at') }}
        and rating is not null
        and variant_id is not null

),

wishlist_items as (

    select * from {{ ref('stg_wishlist_items') }}
    where
        not is_deleted
        and {{ is_known('added_at') }}

),

purchases as (

    select
        orders.customer_id,
        order_lines.variant_id,
        'purchase' as interaction_type,
        orders.ordered_date as interaction_date,
        count(*) as interaction_count,
        sum(order_lines.quantity) as quantity,
        cast(null as double) as rating
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    where
        order_lines.variant_id is not null
        and not order_lines.is_gift_insert
    group by 1, 2, 4

),

-- Who is named by the event itself counts before who the session is taken to be.
seen as (

    select
        coalesce(events.customer_id, sessions.customer_id) as customer_id,
        events.variant_id,
        case events.event_type when 'product_view' then 'view' else 'cart' end as interaction_type,
        {{ shop_day('events.event_at') }} as interaction_date,
        count(*) as interaction_count,
        sum(case when events.event_type = 'add_to_cart' then coalesce(events.quantity, 1) end) as quantity,
        cast(null as double) as rating
    from events
    inner join sessions on events.visit_key = sessions.visit_key
    where coalesce(events.customer_id, sessions.customer_id) is not null
    group by 1, 2, 3, 4

),

-- Several reviews of a day say what they say on average.
rated as (

    select
        identity_map.customer_id,
        reviews.variant_id,
        'rating' as interaction_type,
        {{ shop_day('reviews.created_at') }} as interaction_date,
        count(*) as interaction_count,
        cast(null as bigint) as quantity,
        cast(avg(cast(reviews.rating as double)) as double) as rating
    from reviews
    inner join identity_map on reviews.customer_id = identity_map.source_customer_id
    group by 1, 2, 4

),

wished as (

    select
        identity_map.customer_id,
        wishlist_items.variant_id,
        'wishlist' as interaction_type,
        {{ shop_day('wishlist_items.added_at') }} as interaction_date,
        count(*) as interaction_count,
        cast(null as bigint) as quantity,
        cast(null as double) as rating
    from wishlist_items
    inner join identity_map on wishlist_items.customer_id = identity_map.source_customer_id
    group by 1, 2, 4

),

final as (

    select
        -- keys
        customer_id,
        variant_id,
        interaction_type,
        interaction_date,

        -- measures
        cast(interaction_count as bigint) as interaction_count,
        cast(quantity as bigint) as quantity,
        rating,
        case interaction_type
            {% for interaction_type, weight in weights.items() -%}
            when '{{ interaction_type }}' then cast({{ weight }} as double)
            {% endfor -%}
            -- Three stars say nothing either way.
            when 'rating' then rating - 3
        end as weight

    from (
        select * from purchases
        union all
        select * from seen
        union all
        select * from rated
        union all
        select * from wished
    ) as interactions

)

select * from final

with

sessions as (

    select * from {{ ref('int_web__sessions') }}
    where
        not is_test_session
        and not is_suspected_bot

),

variants as (

    select * from {{ ref('int_recommendations__variants') }}

),

-- Who is named by the event itself counts before who the session is taken to be.
events as (

    select
        events.event_id,
        events.visit_key,
        coalesce(events.customer_id, sessions.customer_id) as customer_id,
        sessions.order_id,
        variants.product_id,
        coalesce(events.recommendation_method, 'unknown') as method,
        coalesce(events.recommendation_slot, 'unknown') as slot,
        events.event_type = 'recommendation_click' as is_click,
        events.event_at,
        cast(date_trunc('week', {{ shop_day('events.event_at') }}) as date) as shown_week
    from {{ ref('int_web__session_events') }} as events
    inner join sessions on events.visit_key = sessions.visit_key
    left join variants on events.variant_id = variants.variant_id
    where events.event_type in ('recommendation_impression', 'recommendation_click')

),

weeks as (

    select distinct shown_week from events

),

-- What could be shown in a week: on sale on one of its days.
shelves as (

    select
        weeks.shown_week,
        variants.product_id
    from weeks
    inner join variants
        on not variants.is_withheld
        and coalesce(variants.launched_date <= {{ add_days('weeks.shown_week', 6) }}, true)
        and coalesce(variants.discontinued_date >= weeks.shown_week, true)
    group by 1, 2

),

shelf_sizes as (

    select
        shown_week,
        count(*) as products_on_sale
    from shelves
    group by 1

),

purchases as (

    select
        interactions.customer_id,
        variants.product_id,
        cast(date_trunc('week', interactions.interaction_date) as date) as purchase_week
    from {{ ref('int_web__interactions') }} as interactions
    inner join variants on interactions.variant_id = variants.variant_id
    where interactions.interaction_type = 'purchase'

),

-- A customer is a buyer of a product, and of any (NULL), from the first purchase on.
first_purchases as (

    select
        customer_id,
        product_id,
        min(purchase_week) as week
    from purchases
    group by 1, 2
    union all
    select
        customer_id,
        cast(null as {{ string_type() }}) as product_id,
        min(purchase_week) as week
    from purchases
    group by 1

),

-- Weeks that ask stand beside those that count, with nobody in them.
counted_weeks as (

    select
        product_id,
        week,
        sum(buyers) as buyers
    from (
        select
            product_id,
            week,
            count(*) as buyers
        from first_purchases
        group by 1, 2
        union all
        select distinct
            product_id,
            shown_week as week,
            0 as buyers
        from events
        where product_id is not null
        union all
        select cast(null as {{ string_type() }}) as product_id, shown_week as week, 0 as buyers from weeks
    ) as counts
    group by 1, 2

),

buyers_before as (

    select
        product_id,
        week,
        coalesce(sum(buyers) over (
            partition by product_id order by week asc nulls last
            rows between unbounded preceding and 1 preceding
        ), 0) as buyers
    from counted_weeks

),

final as (

    select
        -- keys
        events.event_id,
        events.visit_key,
        events.customer_id,
        events.order_id,
        events.product_id,

        -- measures
        -- One buyer more than there were, so that what nobody had bought has a number; engines differ in the last digit.
        case
            when events.product_id is not null
                then round(-log2({{ ratio('of_product.buyers + 1', 'of_all.buyers + 1') }}), 9)
        end as surprise_bits,
        coalesce(shelf_sizes.products_on_sale, 0) as products_on_sale,

        -- attributes
        events.method,
        events.slot,

        -- flags
        events.is_click,
        shelves.product_id is not null as is_on_sale,

        -- times
        events.event_at,
        events.shown_week

    from events
    left join shelves
        on events.shown_week = shelves.shown_week
        and events.product_id = shelves.product_id
    left join shelf_sizes on events.shown_week = shelf_sizes.shown_week
    left join buyers_before as of_product
        on events.product_id = of_product.product_id
        and events.shown_week = of_product.week
    left join buyers_before as of_all
        on of_all.product_id is null
        and events.shown_week = of_all.week

)

select * from final

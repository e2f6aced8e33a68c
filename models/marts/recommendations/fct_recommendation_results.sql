{#- A row for each method and slot, and for all of either: sessions, orders and products of several do not add up. -#}
{%- set order_days = var('recommendation_order_days') -%}

with

events as (

    select * from {{ ref('int_recommendations__events') }}

),

orders as (

    select * from {{ ref('fct_orders') }}
    where is_sale

),

experiments as (

    select * from {{ ref('stg_experiments') }}
    where
        not is_deleted
        and recommendation_slot is not null

),

assignments as (

    select * from {{ ref('fct_experiment_assignments') }}
    where is_counted and customer_id is not null

),

-- Where one arm lost units, the arms are no longer alike, and nothing is concluded.
lost_units as (

    select distinct experiment_id
    from {{ ref('fct_experiment_results') }}
    where has_sample_ratio_mismatch

),

-- The order that ends the visit of the click, and those of the customer in the days after it.
orders_after_clicks as (

    select
        events.event_id,
        events.event_at,
        orders.order_id,
        orders.contribution_margin_amount
    from events
    inner join orders on events.order_id = orders.order_id
    where
        events.is_click
        and orders.is_valid_order
        and orders.ordered_at >= events.event_at
    union
    select
        events.event_id,
        events.event_at,
        orders.order_id,
        orders.contribution_margin_amount
    from events
    inner join orders on events.customer_id = orders.customer_id
    where
        events.is_click
        and orders.is_valid_order
        and orders.ordered_at >= events.event_at
        and orders.ordered_at < events.event_at + interval {{ order_days }} day

),

-- The last click before an order has it, and has it alone.
won_orders as (

    select
        event_id,
        order_id,
        contribution_margin_amount,
        row_number() over (
            partition by order_id order by event_at desc nulls last, event_id asc nulls last
        ) as click_number
    from orders_after_clicks

),

orders_per_click as (

    select
        event_id,
        count(*) as orders,
        sum(contribution_margin_amount) as margin_amount
    from won_orders
    where click_number = 1
    group by 1

),

levelled as (

    select
        events.*,
        case when levels.n in (0, 2) then events.method else 'all' end as told_method,
        case when levels.n in (0, 1) then events.slot else 'all' end as told_slot,
        orders_per_click.orders,
        orders_per_click.margin_amount
    from events
    cross join {{ numbers(4) }} as levels
    left join orders_per_click on events.event_id = orders_per_click.event_id

),

visits as (

    select
        told_method as method,
        told_slot as slot,
        shown_week,
        visit_key,
        count(*) filter (where not is_click) as impressions,
        count(*) filter (where is_click) as clicks,
        coalesce(sum(orders), 0) as orders,
        coalesce(sum(margin_amount), 0) as margin_amount
    from levelled
    group by 1, 2, 3, 4

),

products as (

    select
        told_method as method,
        told_slot as slot,
        shown_week,
        count(distinct case when is_on_sale then product_id end) as products_shown,
        max(products_on_sale) as products_on_sale,
        avg(surprise_bits) as novelty_bits
    from levelled
    where not is_click
    group by 1, 2, 3

),

weekly as (

    select
        method,
        slot,
        shown_week,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        count(*) filter (where impressions > 0) as shown_sessions,
        count(*) filter (where impressions > 0 and clicks > 0) as clicked_sessions,
        sum(orders) as orders,
        sum(margin_amount) as margin_amount
    from visits
    group by 1, 2, 3

),

weeks as (

    select distinct shown_week from events

),

-- What was added: who was drawn to be shown recommendations in a slot against who was drawn to be shown none, all of
-- them, whether they came to see it or not. Whole weeks: drawn on a Monday, a person is in that week, else from the next on.
draws as (

    select
        assignments.experiment_id,
        experiments.recommendation_slot as slot,
        assignments.customer_id,
        assignments.is_holdout,
        cast(date_trunc('week', {{ add_days(shop_day('assignments.assigned_at'), 6) }}) as date) as first_week,
        -- The last week that is whole.
        cast(date_trunc('week', {{ add_days(shop_day('experiments.end_at'), -6) }}) as date) as last_week,
        min(assignments.assigned_at) over (partition by assignments.experiment_id) as begun_at,
        bool_or(assignments.is_holdout) over (partition by assignments.experiment_id) as has_holdout
    from assignments
    inner join experiments on assignments.experiment_id = experiments.experiment_id

),

sides as (

    select * from draws
    where has_holdout

),

-- Of several experiments on one slot the one that began last tells the week.
telling as (

    select
        experiment_id,
        slot,
        shown_week,
        row_number() over (
            partition by slot, shown_week order by begun_at desc nulls last, experiment_id asc nulls last
        ) as place
    from (
        select distinct
            sides.experiment_id,
            sides.slot,
            weeks.shown_week,
            sides.begun_at
        from sides
        inner join weeks
            on sides.first_week <= weeks.shown_week
            and coalesce(weeks.shown_week <= sides.last_week, true)
    ) as running

),

margins as (

    select
        sides.experiment_id,
        sides.customer_id,
        cast(date_trunc('week', orders.ordered_date) as date) as week,
        sum(cast(orders.contribution_margin_amount as double)) as margin
    from orders
    inner join sides on orders.customer_id = sides.customer_id
    group by 1, 2, 3

),

arms as (

    select
        telling.experiment_id,
        telling.slot,
        telling.shown_week,
        sides.is_holdout,
        cast(count(*) as double) as persons,
        avg(coalesce(margins.margin, 0)) as mean_margin,
        var_samp(coalesce(margins.margin, 0)) as margin_variance
    from telling
    inner join sides
        on telling.experiment_id = sides.experiment_id
        and telling.shown_week >= sides.first_week
    left join margins
        on sides.experiment_id = margins.experiment_id
        and sides.customer_id = margins.customer_id
        and telling.shown_week = margins.week
    where telling.place = 1
    group by 1, 2, 3, 4

),

compared as (

    select
        shown_arm.experiment_id,
        shown_arm.slot,
        shown_arm.shown_week,
        lost_units.experiment_id is null as is_comparable,
        shown_arm.persons as drawn_customers,
        holdout.persons as holdout_customers,
        (shown_arm.mean_margin - holdout.mean_margin) * shown_arm.persons as added_margin,
        case
            when shown_arm.persons >= 30 and holdout.persons >= 30
                then 1.959963984540054 * shown_arm.persons * sqrt(
                    shown_arm.margin_variance / shown_arm.persons + holdout.margin_variance / holdout.persons
                )
        end as half_width
    from arms as shown_arm
    inner join arms as holdout
        on shown_arm.experiment_id = holdout.experiment_id
        and shown_arm.shown_week = holdout.shown_week
        and holdout.is_holdout
    left join lost_units on shown_arm.experiment_id = lost_units.experiment_id
    where not shown_arm.is_holdout

),

dated as (

    select
        weekly.*,
        products.products_shown,
        products.products_on_sale,
        products.novelty_bits,
        compared.experiment_id,
        compared.drawn_customers,
        compared.holdout_customers,
        compared.added_margin,
        compared.half_width,
        compared.is_comparable,
        {{ add_days('weekly.shown_week', 6) }} <= {{ as_of_date() }} as is_mature,
        {{ add_days('weekly.shown_week', 6 + order_days) }} <= {{ as_of_date() }} as is_order_mature
    from weekly
    left join products
        on weekly.method = products.method
        and weekly.slot = products.slot
        and weekly.shown_week = products.shown_week
    -- An experiment holds people out of a slot, whatever method fills it.
    left join compared
        on weekly.method = 'all'
        and weekly.slot = compared.slot
        and weekly.shown_week = compared.shown_week

),

told as (

    select
        *,
        case
            when method <> 'all' or slot = 'all' then 'told for all methods of one slot'
            when experiment_id is null then 'no experiment held anybody out of this slot that week'
            when not is_comparable then 'the experiment lost units of one arm'
            when not is_mature then 'the week is not over'
        end as why_not_incremental
    from dated

),

final as (

    select
        -- keys
        method,
        slot,
        shown_week,
        experiment_id,

        -- measures
        cast(impressions as bigint) as impressions,
        cast(clicks as bigint) as clicks,
        cast(shown_sessions as bigint) as shown_sessions,
        cast(clicked_sessions as bigint) as clicked_sessions,
        case when is_mature then {{ ratio('clicked_sessions', 'shown_sessions') }} end as click_rate,
        case when is_mature then {{ wilson_low('clicked_sessions', 'shown_sessions') }} end as click_rate_low,
        case when is_mature then {{ wilson_high('clicked_sessions', 'shown_sessions') }} end as click_rate_high,
        cast(case when is_order_mature then orders end as bigint) as orders_after_click,
        cast(case when is_order_mature then margin_amount end as decimal(18, 2)) as margin_after_click_amount,
        cast(coalesce(products_shown, 0) as bigint) as products_shown,
        cast(products_on_sale as bigint) as products_on_sale,
        {{ ratio('products_shown', 'products_on_sale') }} as coverage_share,
        novelty_bits,
        cast(drawn_customers as bigint) as drawn_customers,
        cast(holdout_customers as bigint) as holdout_customers,
        cast(round(case when why_not_incremental is null then added_margin end, 2) as decimal(18, 2))
            as incremental_margin_amount,
        cast(round(case when why_not_incremental is null then added_margin - half_width end, 2) as decimal(18, 2))
            as incremental_margin_low_amount,
        cast(round(case when why_not_incremental is null then added_margin + half_width end, 2) as decimal(18, 2))
            as incremental_margin_high_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        why_not_incremental,

        -- flags
        is_mature,
        is_order_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from told

)

select * from final

-- And no list has a gap. By the rows as delivered: products, lines of valid orders, ratings and the newest stock of each place, without the way by
-- which the lists were made.
with

recommendations as (

    select * from {{ ref('fct_product_recommendations') }}

),

products as (

    select
        *,
        coalesce(product_id, variant_id) as known_product_id
    from {{ ref('stg_products') }} -- tombstones wanted: another variant of the product may be on sale

),

cycles as (

    select
        known_product_id,
        bool_or(coalesce(is_replenishable, false)) as is_replenishable,
        max(expected_cycle_days) as cycle_days
    from products
    group by 1

),

bought as (

    select
        orders.customer_id,
        products.known_product_id as product_id,
        max(orders.ordered_date) as last_ordered_date
    from {{ ref('fct_order_lines') }} as order_lines
    inner join {{ ref('fct_orders') }} as orders on order_lines.order_id = orders.order_id
    inner join products on order_lines.variant_id = products.variant_id
    where
        orders.is_valid_order
        and not order_lines.is_gift_insert
    group by 1, 2

),

newest_stock as (

    select
        variant_id,
        bool_or(is_in_stock) as is_in_stock
    from (
        select
            variant_id,
            is_in_stock,
            rank() over (partition by variant_id order by inventory_date desc nulls last) as place
        from {{ ref('stg_inventory_daily') }}
        where
            not is_deleted
            and inventory_date <= {{ as_of_date() }}
    ) as days
    where place = 1
    group by 1

),

catalogue as (

    select count(*) as variants from products

),

lists as (

    select
        customer_id,
        count(*) as places,
        max(recommendation_rank) as last_place
    from recommendations
    group by 1

)

select
    recommendations.customer_id,
    recommendations.variant_id,
    lists.places,
    bought.last_ordered_date,
    newest_stock.is_in_stock,
    products.launched_at,
    products.discontinued_at
from recommendations
cross join catalogue
left join products on recommendations.variant_id = products.variant_id
left join bought
    on recommendations.customer_id = bought.customer_id
    and recommendations.product_id = bought.product_id
left join cycles on bought.product_id = cycles.known_product_id
left join lists on recommendations.customer_id = lists.customer_id
left join newest_stock on recommendations.variant_id = newest_stock.variant_id
where
    (catalogue.variants > 0 and products.variant_id is null)
    or lists.places <> lists.last_place
    or products.is_deleted
    or products.is_gift_card
    or products.launched_at > {{ as_of_date() }}
    or products.discontinued_at <= {{ as_of_date() }}
    or not newest_stock.is_in_stock
    or (
        bought.product_id is not null
        and (
            not cycles.is_replenishable
            or {{ days_between('bought.last_ordered_date', as_of_date()) }} < coalesce(cycles.cycle_days, 0)
        )
    )

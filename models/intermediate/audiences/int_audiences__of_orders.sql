{{ config(materialized='view') }}

with

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

orders as (

    select * from {{ ref('int_orders__valued') }}
    where is_valid_order and customer_id is not null

),

order_lines as (

    select * from {{ ref('int_orders__lines') }}
    where not is_deleted and not is_gift_card and not is_gift_insert

),

returned_lines as (

    select * from {{ ref('int_returns__lines') }}

),

-- Of what is in an order and can come back more is known, also in the store; the parcels of any order know when they came.
deliveries as (

    select
        orders.order_id,
        coalesce(goods.delivered_date, parcels.delivered_date) as delivered_date
    from orders
    left join {{ ref('int_deliveries__orders') }} as goods on orders.order_id = goods.order_id
    left join {{ ref('int_orders__deliveries') }} as parcels on orders.order_id = parcels.order_id

),

products as (

    select * from {{ ref('stg_products') }} -- tombstones wanted: what was deleted is not sold any more

),

product_relations as (

    select * from {{ ref('stg_product_relations') }}
    where not is_deleted and relation_type = 'accessory'

),

-- What nobody has counted for a week is not known to be sold out.
inventory as (

    select * from {{ ref('stg_inventory_daily') }}
    where
        not is_deleted
        and inventory_date <= {{ as_of_date() }}
        and inventory_date > {{ add_days(as_of_date(), -7) }}

),

-- Every person counts, also a test: who may be written to is decided once, where all audiences meet.
newcomers as (

    select
        customer_id,
        {{ shop_day('min(first_seen_at)') }} as first_seen_date
    from identity_map
    group by 1
    having {{ shop_day('min(first_seen_at)') }} > {{ add_days(as_of_date(), -audience_days('welcome')) }}

),

order_counts as (

    select
        orders.customer_id,
        count(*) as order_count
    from orders
    inner join newcomers on orders.customer_id = newcomers.customer_id
    group by 1

),

welcome as (

    select
        newcomers.customer_id,
        newcomers.first_seen_date as occasion_date,
        cast(null as {{ string_type() }}) as order_id,
        cast(null as {{ string_type() }}) as variant_id,
        'New since ' || {{ day_in_words('newcomers.first_seen_date') }} || case
            when order_counts.customer_id is null then ', nothing bought yet.'
            else ', with ' || {{ count_in_words('order_counts.order_count', 'order', 'orders') }} || '.'
        end as reason
    from newcomers
    left join order_counts on newcomers.customer_id = order_counts.customer_id

),

arrived as (

    select
        orders.customer_id,
        orders.order_id,
        deliveries.delivered_date,
        row_number() over (
            partition by orders.customer_id
            order by deliveries.delivered_date desc nulls last, orders.ordered_at desc nulls last, orders.order_id asc nulls last
        ) as recency
    from deliveries
    inner join orders on deliveries.order_id = orders.order_id
    where deliveries.delivered_date > {{ add_days(as_of_date(), -audience_days('post_purchase')) }}

),

post_purchase as (

    select
        customer_id,
        delivered_date as occasion_date,
        order_id,
        cast(null as {{ string_type() }}) as variant_id,
        'An order arrived on ' || {{ day_in_words('delivered_date') }} || '.' as reason
    from arrived
    where recency = 1

),

-- What was kept. The product stands for its variants: who has the lens in black needs no reminder of it in white.
kept_lines as (

    select
        orders.customer_id,
        orders.order_id,
        orders.ordered_date,
        order_lines.variant_id,
        coalesce(products.product_id, order_lines.variant_id) as product_key,
        order_lines.quantity - coalesce(returned_lines.requested_quantity, 0) as kept_units,
        case when products.is_replenishable and not products.is_deleted then products.expected_cycle_days end as cycle_days,
        coalesce(products.discontinued_at > {{ as_of_date() }}, true) as is_sold
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    left join returned_lines on order_lines.order_line_id = returned_lines.order_line_id
    left join products on order_lines.variant_id = products.variant_id
    where order_lines.quantity > coalesce(returned_lines.requested_quantity, 0)

),

stock_days as (

    select
        variant_id,
        inventory_date,
        bool_or(is_in_stock) as is_in_stock
    from inventory
    group by 1, 2

),

stock as (

    select
        variant_id,
        max_by(is_in_stock, inventory_date) as is_in_stock
    from stock_days
    group by 1

),

accessories as (

    select
        product_relations.variant_id,
        product_relations.related_variant_id,
        product_relations.weight,
        coalesce(products.product_id, product_relations.related_variant_id) as product_key
    from product_relations
    left join products on product_relations.related_variant_id = products.variant_id
    left join stock on product_relations.related_variant_id = stock.variant_id
    where
        not coalesce(products.is_deleted, false)
        and coalesce(products.discontinued_at > {{ as_of_date() }}, true)
        and coalesce(products.launched_at <= {{ as_of_date() }}, true)
        and coalesce(stock.is_in_stock, true)

),

fitting as (

    select
        kept_lines.customer_id,
        kept_lines.order_id,
        kept_lines.ordered_date,
        kept_lines.variant_id,
        accessories.related_variant_id,
        accessories.weight,
        accessories.product_key
    from kept_lines
    inner join accessories on kept_lines.variant_id = accessories.variant_id
    where kept_lines.ordered_date > {{ add_days(as_of_date(), -audience_days('accessory_cross_sell')) }}

),

owned as (

    select distinct
        kept_lines.customer_id,
        kept_lines.product_key
    from kept_lines
    inner join (select distinct customer_id from fitting) as buyers on kept_lines.customer_id = buyers.customer_id

),

ranked_accessories as (

    select
        fitting.*,
        row_number() over (
            partition by fitting.customer_id
            order by
                fitting.ordered_date desc nulls last,
                fitting.weight desc nulls last,
                fitting.related_variant_id asc nulls last,
                fitting.order_id asc nulls last,
                fitting.variant_id asc nulls last
        ) as place
    from fitting
    left join owned
        on fitting.customer_id = owned.customer_id
        and fitting.product_key = owned.product_key
    where owned.customer_id is null

),

accessory_cross_sell as (

    select
        customer_id,
        ordered_date as occasion_date,
        order_id,
        related_variant_id as variant_id,
        'Bought ' || variant_id || ' on ' || {{ day_in_words('ordered_date') }} || '; '
            || related_variant_id || ' goes with it.' as reason
    from ranked_accessories
    where place = 1

),

-- Two packs last twice as long as one; beyond ten years nobody is reminded of anything.
supplies as (

    select
        customer_id,
        product_key,
        ordered_date,
        min(order_id) as order_id,
        min(variant_id) as variant_id,
        bool_or(is_sold) as is_sold,
        {{ add_days('ordered_date', 'least(sum(kept_units * cycle_days), 3650)') }} as used_up_date,
        row_number() over (
            partition by customer_id, product_key order by ordered_date desc nulls last
        ) as recency
    from kept_lines
    where cycle_days > 0
    group by 1, 2, 3

),

ranked_supplies as (

    select
        *,
        row_number() over (
            partition by customer_id order by used_up_date asc nulls last, product_key asc nulls last
        ) as place
    from supplies
    where
        recency = 1
        and is_sold
        and used_up_date > {{ add_days(as_of_date(), -audience_days('reminder')) }}
        and used_up_date <= {{ add_days(as_of_date(), audience_days('reminder')) }}

),

reminder as (

    select
        customer_id,
        {{ add_days('used_up_date', -audience_days('reminder')) }} as occasion_date,
        order_id,
        variant_id,
        'What was bought of ' || variant_id || ' on ' || {{ day_in_words('ordered_date') }}
            || ' is used up about ' || {{ day_in_words('used_up_date') }} || '.' as reason
    from ranked_supplies
    where place = 1

),

final as (

    {% for audience in ['welcome', 'post_purchase', 'accessory_cross_sell', 'reminder'] -%}
    select
        '{{ audience }}' as audience,
        customer_id,
        occasion_date,
        order_id,
        variant_id,
        reason
    from {{ audience }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final

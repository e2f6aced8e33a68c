-- Per customer who was not erased: lines and units bought.
with

lines as (

    select
        orders.customer_id,
        count(*) as lines,
        sum(order_lines.quantity) as units
    from {{ ref('int_orders__lines') }} as order_lines
    inner join {{ ref('fct_orders') }} as orders on order_lines.order_id = orders.order_id
    where
        orders.is_valid_order
        and orders.customer_id not like 'erased:%'
        and order_lines.variant_id is not null
        and not order_lines.is_deleted
        and not order_lines.is_gift_insert
    group by 1

),

interactions as (

    select
        customer_id,
        sum(interaction_count) as lines,
        sum(quantity) as units
    from {{ ref('fct_interactions') }}
    where interaction_type = 'purchase'
    group by 1

)

select
    coalesce(lines.customer_id, interactions.customer_id) as customer_id,
    lines.lines,
    lines.units,
    interactions.lines as lines_of_interactions,
    interactions.units as units_of_interactions
from lines
full outer join interactions on lines.customer_id = interactions.customer_id
where
    coalesce(lines.lines, 0) <> coalesce(interactions.lines, 0)
    or coalesce(lines.units, 0) <> coalesce(interactions.units, 0)

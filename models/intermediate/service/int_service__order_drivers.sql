with

orders as (

    select * from {{ ref('int_orders__valued') }}
    where not is_test_order

),

order_lines as (

    select * from {{ ref('int_orders__lines') }}
    where not is_deleted and not is_gift_insert

),

products as (

    select * from {{ ref('stg_products') }}
    where not is_deleted

),

parcels as (

    select * from {{ ref('int_deliveries__parcels') }}
    where is_leading_parcel

),

category_amounts as (

    select
        order_lines.order_id,
        coalesce(products.category_l1, 'unknown') as category,
        sum(order_lines.gross_amount - order_lines.discount_amount) as amount

    from order_lines
    left join products on order_lines.variant_id = products.variant_id
    group by 1, 2

),

ranked_categories as (

    select
        order_id,
        category,
        row_number() over (
            partition by order_id
            order by amount desc nulls last, category asc nulls last
        ) as category_rank
    from category_amounts

),

final as (

    select
        -- keys
        orders.order_id,

        -- attributes: one of each, so that orders and tickets add up over either
        coalesce(ranked_categories.category, 'unknown') as category,
        coalesce(parcels.carrier, 'no_parcel') as carrier,

        -- flags
        orders.is_sale and not orders.is_exchange as is_counted_order,

        -- times
        {{ month_of('orders.ordered_date') }} as ordered_month

    from orders
    left join ranked_categories
        on orders.order_id = ranked_categories.order_id
        and ranked_categories.category_rank = 1
    left join parcels on orders.order_id = parcels.order_id

)

select * from final

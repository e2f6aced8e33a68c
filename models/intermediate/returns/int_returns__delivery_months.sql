with

orders as (

    select
        order_id,
        {{ month_of('delivered_date') }} as delivery_month
    from {{ ref('int_deliveries__orders') }}
    where
        delivered_date <= {{ as_of_date() }}
        -- A shop that delivers no returns says nothing about them: its months have no rate, and not one of zero.
        and exists (select 1 from {{ ref('int_returns__lines') }})

),

order_lines as (

    select * from {{ ref('int_orders__lines') }}
    where not is_deleted and not is_gift_card and not is_gift_insert

),

products as (

    select * from {{ ref('stg_products') }}
    where not is_deleted

),

returned_lines as (

    select * from {{ ref('int_returns__lines') }}
    where received_quantity > 0

),

lines as (

    select
        orders.delivery_month,
        coalesce(products.category_l1, 'unknown') as category,
        coalesce(returned_lines.reason_code, 'none') as reason_code,
        order_lines.quantity,
        order_lines.gross_amount - order_lines.discount_amount as goods_amount,
        -- Of one line no more can come back than was sent.
        least(coalesce(returned_lines.received_quantity, 0), order_lines.quantity) as returned_quantity

    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    left join products on order_lines.variant_id = products.variant_id
    left join returned_lines on order_lines.order_line_id = returned_lines.order_line_id

),

final as (

    select
        -- keys
        delivery_month,
        category,
        reason_code,

        -- measures
        cast(sum(quantity) as bigint) as delivered_units,
        {{ money_sum('goods_amount') }} as delivered_amount,
        cast(sum(returned_quantity) as bigint) as returned_units,
        {{ money_sum('round(cast(goods_amount as double) * ' ~ ratio('returned_quantity', 'quantity') ~ ', 2)') }}
            as returned_amount

    from lines
    group by 1, 2, 3

)

select * from final

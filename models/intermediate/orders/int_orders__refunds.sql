with

refunds as (

    select * from {{ ref('stg_refunds') }}
    where not is_deleted

),

orders as (

    select
        *,
        {{ source_customer_id('customer_id', 'email') }} as source_customer_id
    from {{ ref('stg_orders') }}
    where
        not is_deleted
        and {{ is_known('ordered_at') }}

),

order_lines as (

    select * from {{ ref('int_orders__lines') }}
    where not is_deleted

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

-- What was not yet known that night does not exist for it.
known_refunds as (

    select
        refunds.refund_id,
        refunds.order_line_id,
        refunds.order_id,
        refunds.return_id,
        {{ in_shop_currency('refunds.amount', order_rate('orders')) }} as refund_amount,
        {{ in_shop_currency('coalesce(refunds.tax_amount, 0)', order_rate('orders')) }} as tax_amount,
        {{ in_shop_currency('coalesce(refunds.shipping_amount, 0)', order_rate('orders')) }} as shipping_amount,
        refunds.refund_destination,
        'refund' as refund_source,
        refunds.issued_at as refunded_at

    from refunds
    inner join orders on refunds.order_id = orders.order_id
    where {{ is_known('refunds.issued_at') }}

),

-- A shop that sends the word "refunded" and no refund of any date means the whole order. The day is that of the version
-- that says so, since nothing else tells it.
refunded_by_status as (

    select orders.*
    from orders
    left join refunds on orders.order_id = refunds.order_id
    where
        orders.status = 'refunded'
        and refunds.order_id is null
        and coalesce({{ is_known('orders.updated_at') }}, true)

),

lines_refunded_by_status as (

    select
        order_lines.order_id,
        {{ money_sum('order_lines.discount_amount') }} as line_discount_amount,
        {{ money_sum('order_lines.tax_amount') }} as line_tax_amount

    from order_lines
    inner join refunded_by_status on order_lines.order_id = refunded_by_status.order_id
    group by 1

),

status_refunds as (

    select
        'status:' || orders.order_id as refund_id,
        cast(null as {{ string_type() }}) as order_line_id,
        orders.order_id,
        cast(null as {{ string_type() }}) as return_id,
        cast({{ order_gross_amount('orders', 'lines') }} - {{ order_discount_amount('orders', 'lines') }} as decimal(18, 2))
            as refund_amount,
        cast({{ order_tax_amount('orders', 'lines') }} as decimal(18, 2)) as tax_amount,
        {{ in_shop_currency('coalesce(orders.shipping_amount, 0)', order_rate('orders')) }} as shipping_amount,
        cast(null as {{ string_type() }}) as refund_destination,
        'order_status' as refund_source,
        greatest(coalesce(orders.updated_at, orders.ordered_at), orders.ordered_at) as refunded_at

    from refunded_by_status as orders
    left join lines_refunded_by_status as lines on orders.order_id = lines.order_id

),

all_refunds as (

    select * from known_refunds
    union all
    select * from status_refunds

),

gift_card_lines as (

    select
        order_line_id,
        order_id
    from order_lines
    where is_gift_card

),

-- Only orders with a gift card need to know which part of their value it is.
gift_card_shares as (

    select
        order_lines.order_id,
        {{ ratio(
            'sum(case when order_lines.is_gift_card then order_lines.gross_amount - order_lines.discount_amount else 0 end)',
            'sum(order_lines.gross_amount - order_lines.discount_amount)') }} as gift_card_share

    from order_lines
    where order_lines.order_id in (select order_id from gift_card_lines)
    group by 1

),

final as (

    select
        -- keys
        md5(concat_ws('|', all_refunds.refund_id, coalesce(all_refunds.order_line_id, ''))) as refund_line_id,
        all_refunds.refund_id,
        all_refunds.order_line_id,
        all_refunds.order_id,
        all_refunds.return_id,
        identity_map.customer_id,

        -- measures, in the shop's currency at the rate of the order: the money goes back at the price it came in
        all_refunds.refund_amount,
        -- Money back for a gift card undoes a debt and no revenue. A refund of the whole order takes the card's share.
        cast(case
            when gift_card_lines.order_line_id is not null then all_refunds.refund_amount
            when all_refunds.order_line_id is null and gift_card_shares.order_id is not null
                then round(cast(all_refunds.refund_amount as double) * coalesce(gift_card_shares.gift_card_share, 0), 2)
            else 0
        end as decimal(18, 2)) as gift_card_refund_amount,
        all_refunds.tax_amount,
        all_refunds.shipping_amount,

        -- attributes
        all_refunds.refund_destination,
        all_refunds.refund_source,

        -- times
        orders.ordered_at,
        {{ shop_day('orders.ordered_at') }} as ordered_date,
        all_refunds.refunded_at,
        {{ shop_day('all_refunds.refunded_at') }} as refunded_date

    from all_refunds
    inner join orders on all_refunds.order_id = orders.order_id
    left join identity_map on orders.source_customer_id = identity_map.source_customer_id
    left join gift_card_lines on all_refunds.order_line_id = gift_card_lines.order_line_id
    left join gift_card_shares on all_refunds.order_id = gift_card_shares.order_id

)

select * from final

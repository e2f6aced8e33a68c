with

-- The shop's own test orders are no trade; their accounts are no customers either.
orders as (

    select * from {{ ref('int_orders__valued') }}
    where not is_test_order

),

deliveries as (

    select * from {{ ref('int_orders__deliveries') }}

),

numbered as (

    select
        order_id,
        cast(row_number() over customer_orders as bigint) as order_number,
        {{ days_between('lag(ordered_date) over customer_orders', 'ordered_date') }} as days_since_previous_order

    from orders
    where is_valid_order and customer_id is not null
    window customer_orders as (
        partition by customer_id order by ordered_at asc nulls last, order_id asc nulls last
    )

),

final as (

    select
        -- keys
        orders.order_id,
        orders.customer_id,
        -- A guest had no account, and the hashed address that stands in for one is personal data. The account of an erased
        -- person would lead back to it.
        case
            when orders.source_customer_id not like 'guest:%' and orders.customer_id not like 'erased:%'
                then orders.source_customer_id
        end as source_customer_id,
        orders.exchange_of_order_id,

        -- measures
        numbered.order_number,
        numbered.days_since_previous_order,
        orders.line_count,
        orders.unit_count,
        orders.gross_amount,
        orders.discount_amount,
        orders.gift_card_amount,
        orders.shipping_amount,
        orders.tax_amount,
        orders.total_amount,
        orders.refund_amount,
        orders.net_refund_amount,
        orders.net_before_refunds_amount,
        orders.net_amount,
        orders.cogs_amount,
        orders.shipping_cost_amount,
        orders.payment_fee_amount,
        orders.return_cost_amount,
        orders.contribution_margin_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        orders.order_status,
        orders.channel,
        orders.device_type,
        orders.checkout_method,
        orders.country_code,
        orders.order_currency_code,

        -- flags
        orders.is_sale,
        orders.is_valid_order,
        orders.is_exchange,
        orders.is_fully_refunded,
        orders.is_member_order,
        orders.is_promo_order,
        orders.is_cost_known,
        deliveries.is_promise_kept as promise_kept,
        -- Goods may come back until the end of the last day of the window; a parcel without a delivery counts from the
        -- day it left, an order without a parcel from its own day.
        {{ add_days('coalesce(deliveries.last_known_date, orders.ordered_date)', var('return_window_days')) }}
            > {{ as_of_date() }} as is_return_window_open,

        -- times
        orders.ordered_at,
        orders.ordered_date,
        deliveries.first_shipped_date as shipped_date,
        deliveries.delivered_date,
        {{ as_of_date() }} as as_of_date

    from orders
    left join numbered on orders.order_id = numbered.order_id
    left join deliveries on orders.order_id = deliveries.order_id

)

select * from final

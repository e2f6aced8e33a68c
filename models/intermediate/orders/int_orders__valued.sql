with

orders as (

    select
        *,
        {{ source_customer_id('customer_id', 'email') }} as source_customer_id,
        {{ shop_day('ordered_at') }} as ordered_date
    from {{ ref('stg_orders') }}
    where
        not is_deleted
        and {{ is_known('ordered_at') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

order_lines as (

    select * from {{ ref('int_orders__lines') }}
    where not is_deleted

),

refunds as (

    select * from {{ ref('int_orders__refunds') }}

),

return_items as (

    select * from {{ ref('int_returns__items') }}

),

shipments as (

    select * from {{ ref('stg_shipments') }}
    where
        not is_deleted
        and {{ is_known('shipped_at') }}

),

memberships as (

    select * from {{ ref('stg_memberships') }}
    where not is_deleted

),

lines_per_order as (

    select
        order_id,
        cast(count(*) as bigint) as line_count,
        cast(sum(quantity) as bigint) as unit_count,
        {{ money_sum('gross_amount') }} as line_gross_amount,
        {{ money_sum('discount_amount') }} as line_discount_amount,
        {{ money_sum('tax_amount') }} as line_tax_amount,
        {{ money_sum('cogs_amount') }} as cogs_amount,
        {{ money_sum('case when is_gift_card then gross_amount - discount_amount else 0 end') }} as gift_card_amount,
        bool_and(is_cost_known) as is_cost_known

    from order_lines
    group by 1

),

refunds_per_order as (

    select
        order_id,
        {{ money_sum('refund_amount') }} as refund_amount,
        {{ money_sum('gift_card_refund_amount') }} as gift_card_refund_amount,
        {{ money_sum('shipping_amount') }} as refunded_shipping_amount

    from refunds
    group by 1

),

returns_per_order as (

    select
        order_id,
        {{ money_sum('return_shipping_cost_amount - restocking_fee_amount') }} as return_cost_amount,
        {{ money_sum('cogs_recovered_amount') }} as cogs_recovered_amount

    from return_items
    where is_received
    group by 1

),

parcels_per_order as (

    select
        order_id,
        {{ money_sum('cost_amount') }} as shipment_cost_amount
    from shipments
    group by 1

),

-- A membership counts from its beginning to its end, whatever state the shop system shows today.
member_orders as (

    select distinct orders.order_id
    from orders
    inner join identity_map on orders.source_customer_id = identity_map.source_customer_id
    inner join identity_map as member_map on identity_map.customer_id = member_map.customer_id
    inner join memberships on member_map.source_customer_id = memberships.customer_id
    where
        orders.ordered_at >= memberships.joined_at
        and (memberships.ended_at is null or orders.ordered_at < memberships.ended_at)

),

amounts as (

    select
        orders.*,
        identity_map.customer_id as person_id,
        cast({{ order_gross_amount('orders', 'lines_per_order') }} as decimal(18, 2)) as shop_gross_amount,
        cast({{ order_discount_amount('orders', 'lines_per_order') }} as decimal(18, 2)) as shop_discount_amount,
        {{ in_shop_currency('coalesce(orders.shipping_amount, 0)', order_rate('orders')) }} as shop_shipping_amount,
        cast({{ order_tax_amount('orders', 'lines_per_order') }} as decimal(18, 2)) as shop_tax_amount,
        {{ in_shop_currency('coalesce(orders.payment_fee_amount, 0)', order_rate('orders')) }} as shop_payment_fee_amount,
        {{ in_shop_currency('orders.shipping_cost_amount', order_rate('orders')) }} as shop_shipping_cost_amount,
        coalesce(lines_per_order.line_count, 0) as line_count,
        coalesce(lines_per_order.unit_count, 0) as unit_count,
        coalesce(lines_per_order.line_gross_amount, 0) as line_gross_amount,
        coalesce(lines_per_order.line_discount_amount, 0) as line_discount_amount,
        coalesce(lines_per_order.cogs_amount, 0) as cogs_amount,
        coalesce(lines_per_order.gift_card_amount, 0) as gift_card_amount,
        coalesce(lines_per_order.is_cost_known, false) as is_cost_known,
        coalesce(parcels_per_order.shipment_cost_amount, 0) as shipment_cost_amount,
        coalesce(refunds_per_order.refunded_shipping_amount, 0) as refunded_shipping_amount,
        coalesce(returns_per_order.return_cost_amount, 0) as return_cost_amount,
        coalesce(returns_per_order.cogs_recovered_amount, 0) as cogs_recovered_amount,
        cast(coalesce(refunds_per_order.refund_amount, 0) as decimal(18, 2)) as refund_amount,
        cast(coalesce(refunds_per_order.gift_card_refund_amount, 0) as decimal(18, 2)) as gift_card_refund_amount,
        coalesce(orders.is_test, false) or coalesce(identity_map.is_test, false) as is_test_order,
        member_orders.order_id is not null as is_member_order

    from orders
    left join identity_map on orders.source_customer_id = identity_map.source_customer_id
    left join lines_per_order on orders.order_id = lines_per_order.order_id
    left join refunds_per_order on orders.order_id = refunds_per_order.order_id
    left join returns_per_order on orders.order_id = returns_per_order.order_id
    left join parcels_per_order on orders.order_id = parcels_per_order.order_id
    left join member_orders on orders.order_id = member_orders.order_id

),

judged as (

    select
        *,
        -- The part of the refunds that takes revenue back.
        cast(refund_amount - gift_card_refund_amount as decimal(18, 2)) as net_refund_amount,
        not is_test_order
        and not {{ is_cancelled('amounts') }}
        and coalesce(status, 'paid') not in ('pending', 'fraud') as is_sale

    from amounts

),

final as (

    select
        -- keys
        order_id,
        person_id as customer_id,
        source_customer_id,
        exchange_of_order_id,
        membership_id,

        -- measures, in the shop's currency
        line_count,
        unit_count,
        shop_gross_amount as gross_amount,
        shop_discount_amount as discount_amount,
        shop_shipping_amount as shipping_amount,
        shop_tax_amount as tax_amount,
        cast(shop_gross_amount - shop_discount_amount + shop_shipping_amount + shop_tax_amount as decimal(18, 2))
            as total_amount,
        cast(gift_card_amount as decimal(18, 2)) as gift_card_amount,
        refund_amount,
        net_refund_amount,
        cast(refunded_shipping_amount as decimal(18, 2)) as refunded_shipping_amount,
        -- Selling a gift card is a debt; the revenue comes with the order that it pays for.
        cast(shop_gross_amount - shop_discount_amount - gift_card_amount as decimal(18, 2)) as net_before_refunds_amount,
        cast(shop_gross_amount - shop_discount_amount - gift_card_amount - net_refund_amount as decimal(18, 2)) as net_amount,
        cast(cogs_amount - cogs_recovered_amount as decimal(18, 2)) as cogs_amount,
        cast(cogs_recovered_amount as decimal(18, 2)) as cogs_recovered_amount,
        cast(coalesce(shop_shipping_cost_amount, shipment_cost_amount) as decimal(18, 2)) as shipping_cost_amount,
        shop_payment_fee_amount as payment_fee_amount,
        cast(return_cost_amount as decimal(18, 2)) as return_cost_amount,
        cast(
            shop_gross_amount - shop_discount_amount - gift_card_amount - net_refund_amount
            + shop_shipping_amount - refunded_shipping_amount
            - (cogs_amount - cogs_recovered_amount)
            - coalesce(shop_shipping_cost_amount, shipment_cost_amount)
            - shop_payment_fee_amount
            - return_cost_amount
            as decimal(18, 2)
        ) as contribution_margin_amount,
        cast(line_gross_amount as decimal(18, 2)) as line_gross_amount,

        -- attributes
        coalesce(status, 'paid') as order_status,
        coalesce(channel, 'unknown') as channel,
        coalesce(device_type, 'unknown') as device_type,
        coalesce(checkout_method, 'unknown') as checkout_method,
        shipping_country as country_code,
        coalesce(currency, '{{ var("shop_currency") }}') as order_currency_code,

        -- flags
        is_sale,
        is_sale and not coalesce(is_exchange, false) and shop_gross_amount > 0
        {%- if var('order_rule') == 'net_positive' %} and shop_gross_amount - shop_discount_amount - refund_amount > 0 {%- endif %}
            as is_valid_order,
        is_test_order,
        coalesce(is_exchange, false) as is_exchange,
        is_sale and refund_amount > 0 and refund_amount >= shop_gross_amount - shop_discount_amount as is_fully_refunded,
        is_cost_known,
        is_member_order,
        promo_codes is not null or shop_discount_amount > 0 as is_promo_order,

        -- times
        ordered_at,
        ordered_date

    from judged

)

select * from final

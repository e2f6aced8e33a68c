with

sales as (

    select * from {{ ref('int_orders__valued') }}
    where is_sale and customer_id is not null

),

purchases as (

    select * from {{ ref('int_scores__orders') }}

),

refunds as (

    select * from {{ ref('int_orders__refunds') }}

),

return_items as (

    select * from {{ ref('int_returns__items') }}
    where is_received

),

money_back as (

    select
        sales.customer_id,
        sales.ordered_date,
        greatest(refunds.refunded_date, sales.ordered_date) as refunded_date,
        refunds.refund_amount - refunds.gift_card_refund_amount as net_amount,
        refunds.refund_amount - refunds.gift_card_refund_amount + refunds.shipping_amount as margin_amount

    from refunds
    inner join sales on refunds.order_id = sales.order_id

),

-- A parcel that comes back costs its way and its handling, and gives back the goods that can be sold again.
goods_back as (

    select
        sales.customer_id,
        sales.ordered_date,
        greatest(return_items.received_date, sales.ordered_date) as refunded_date,
        cast(0 as decimal(18, 2)) as net_amount,
        return_items.return_shipping_cost_amount
        - return_items.restocking_fee_amount
        - return_items.cogs_recovered_amount as margin_amount

    from return_items
    inner join sales on return_items.order_id = sales.order_id

),

-- An order that was given back in full leaves with its value: what is left of its refunds is what it cost the shop.
orders_gone as (

    select
        customer_id,
        ordered_date,
        voided_date as refunded_date,
        -net_amount as net_amount,
        -margin_amount as margin_amount

    from purchases
    where voided_date is not null and is_sale

),

-- Sales that are no purchase (exchanges, gifts, what was refunded on its own day) are no order and cost money all the same.
other_sales as (

    select
        sales.customer_id,
        sales.ordered_date,
        sales.ordered_date as refunded_date,
        -sales.net_before_refunds_amount as net_amount,
        -(
            sales.contribution_margin_amount
            + sales.net_refund_amount
            + sales.refunded_shipping_amount
            + sales.return_cost_amount
            - sales.cogs_recovered_amount
        ) as margin_amount

    from sales
    left join purchases on sales.order_id = purchases.order_id
    where purchases.order_id is null

),

entries as (

    select * from money_back
    union all
    select * from goods_back
    union all
    select * from orders_gone
    union all
    select * from other_sales

),

final as (

    select
        -- keys
        customer_id,
        ordered_date,
        refunded_date,

        -- measures
        {{ money_sum('net_amount') }} as net_amount,
        {{ money_sum('margin_amount') }} as margin_amount

    from entries
    group by 1, 2, 3

)

select * from final

with

orders as (

    select * from {{ ref('int_orders__valued') }}
    where
        customer_id is not null
        and not is_test_order
        and not is_exchange
        and gross_amount > 0

),

cancellations as (

    select
        order_id,
        {{ shop_day('cancelled_at') }} as cancelled_date
    from {{ ref('stg_orders') }}
    where
        not is_deleted
        and cancelled_at is not null
        and {{ is_known('cancelled_at') }}

),

refunds as (

    select
        order_id,
        refunded_date,
        {{ money_sum('refund_amount') }} as refund_amount
    from {{ ref('int_orders__refunds') }}
    group by 1, 2

),

-- Only what is given back in full by now needs the day on which it was.
given_back as (

    select
        order_id,
        gross_amount - discount_amount as paid_amount
    from orders
    where is_fully_refunded

),

refunded_so_far as (

    select
        refunds.order_id,
        refunds.refunded_date,
        given_back.paid_amount,
        sum(refunds.refund_amount) over (
            partition by refunds.order_id
            order by refunds.refunded_date asc nulls last
            rows between unbounded preceding and current row
        ) as refund_amount
    from refunds
    inner join given_back on refunds.order_id = given_back.order_id

),

full_refunds as (

    select
        order_id,
        min(refunded_date) as given_back_date
    from refunded_so_far
    where refund_amount >= paid_amount
    group by 1

),

dated as (

    select
        orders.*,
        orders.contribution_margin_amount
        + orders.net_refund_amount
        + orders.refunded_shipping_amount
        + orders.return_cost_amount
        - orders.cogs_recovered_amount as margin_before_refunds_amount,
        {%- if var('order_rule') == 'net_positive' %}
        coalesce(cancellations.cancelled_date, full_refunds.given_back_date) as voided_date
        {%- else %}
        cancellations.cancelled_date as voided_date
        {%- endif %}

    from orders
    left join cancellations on orders.order_id = cancellations.order_id
    left join full_refunds on orders.order_id = full_refunds.order_id
    where
        (orders.is_sale or cancellations.order_id is not null)
        {%- if var('order_rule') == 'net_positive' %}
        and orders.gross_amount - orders.discount_amount > 0
        {%- endif %}

),

final as (

    select
        -- keys
        order_id,
        customer_id,

        -- measures, as they stood before anything came back
        net_before_refunds_amount as net_amount,
        cast(margin_before_refunds_amount as decimal(18, 2)) as margin_amount,
        cast(unit_count as bigint) as unit_count,

        -- flags
        is_promo_order as is_promo,
        is_sale,

        -- times
        ordered_date,
        voided_date

    from dated
    -- An order that was taken back on its own day was never one at the end of a day.
    where coalesce(voided_date > ordered_date, true)

)

select * from final

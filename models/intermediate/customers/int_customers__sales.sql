with

-- Every sale, not valid orders alone: an order that came back whole has cost its parcel and its fee, and an exchange its
-- goods. A margin without them would praise the customers that cost most.
orders as (

    select * from {{ ref('int_orders__valued') }}
    where is_sale and customer_id is not null

),

final as (

    select
        -- keys
        customer_id,

        -- measures
        cast(count(*) as bigint) as sale_count,
        cast(count(*) filter (where is_valid_order) as bigint) as order_count,
        cast(count(*) filter (where is_fully_refunded) as bigint) as fully_refunded_order_count,
        cast(count(*) filter (where is_exchange) as bigint) as exchange_count,
        cast(sum(unit_count) as bigint) as unit_count,
        {{ money_sum('gross_amount') }} as gross_amount,
        {{ money_sum('discount_amount') }} as discount_amount,
        {{ money_sum('net_refund_amount') }} as net_refund_amount,
        {{ money_sum('net_amount') }} as net_amount,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount

    from orders
    group by 1

)

select * from final

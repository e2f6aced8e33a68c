with

returned_lines as (

    select * from {{ ref('int_returns__lines') }}

),

orders as (

    select * from {{ ref('int_orders__valued') }}

),

deliveries as (

    select * from {{ ref('int_deliveries__orders') }}

),

refunds_per_line as (

    select
        order_line_id,
        {{ money_sum('refund_amount') }} as refund_amount,
        {{ money_sum('tax_amount') }} as refunded_tax_amount

    from {{ ref('int_orders__refunds') }}
    where order_line_id is not null
    group by 1

),

final as (

    select
        -- keys
        returned_lines.order_line_id,
        returned_lines.order_id,
        returned_lines.variant_id,
        orders.customer_id,

        -- measures
        returned_lines.request_count,
        cast(returned_lines.ordered_quantity as bigint) as ordered_quantity,
        returned_lines.requested_quantity,
        returned_lines.received_quantity,
        cast(coalesce(refunds_per_line.refund_amount, 0) as decimal(18, 2)) as refund_amount,
        cast(coalesce(refunds_per_line.refunded_tax_amount, 0) as decimal(18, 2)) as refunded_tax_amount,
        returned_lines.return_cost_amount,
        returned_lines.cogs_recovered_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,
        {{ days_between('returned_lines.ordered_date', 'returned_lines.first_requested_date') }}
            as days_from_order_to_request,
        {{ days_between('deliveries.delivered_date', 'returned_lines.first_requested_date') }}
            as days_from_delivery_to_request,
        {{ days_between('returned_lines.first_requested_date', 'returned_lines.last_received_date') }}
            as days_from_request_to_receipt,

        -- attributes
        returned_lines.reason_code,
        returned_lines.disposition,

        -- flags
        returned_lines.received_quantity > 0 as is_received,
        returned_lines.received_quantity >= returned_lines.ordered_quantity as is_fully_returned,

        -- times
        returned_lines.ordered_date,
        deliveries.delivered_date,
        returned_lines.first_requested_date,
        returned_lines.last_received_date,
        {{ as_of_date() }} as as_of_date

    from returned_lines
    inner join orders on returned_lines.order_id = orders.order_id
    left join deliveries on returned_lines.order_id = deliveries.order_id
    left join refunds_per_line on returned_lines.order_line_id = refunds_per_line.order_line_id

)

select * from final

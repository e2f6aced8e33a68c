-- Units straight from staging; costs from the orders, where they lower the margin.
with

staged as (

    select
        coalesce(sum(return_items.quantity), 0) as requested_units,
        coalesce(sum(return_items.quantity) filter (
            where {{ shop_day('returns.received_at') }} <= {{ as_of_date() }}
        ), 0) as received_units
    from {{ ref('stg_return_items') }} as return_items
    inner join {{ ref('stg_returns') }} as returns on return_items.return_id = returns.return_id
    inner join {{ ref('stg_order_lines') }} as order_lines on return_items.order_line_id = order_lines.order_line_id
    inner join {{ ref('stg_orders') }} as orders on order_lines.order_id = orders.order_id
    where
        not return_items.is_deleted
        and not returns.is_deleted
        and not order_lines.is_deleted
        and not orders.is_deleted
        and {{ shop_day('returns.requested_at') }} <= {{ as_of_date() }}
        and {{ shop_day('orders.ordered_at') }} <= {{ as_of_date() }}

),

costs as (

    select coalesce(sum(return_cost_amount), 0) as return_cost_amount
    from {{ ref('int_orders__valued') }}

),

mart as (

    select
        coalesce(sum(requested_quantity), 0) as requested_units,
        coalesce(sum(received_quantity), 0) as received_units,
        coalesce(sum(return_cost_amount), 0) as return_cost_amount
    from {{ ref('fct_returns') }}

)

select
    staged.requested_units as staged_requested_units,
    mart.requested_units as mart_requested_units,
    staged.received_units as staged_received_units,
    mart.received_units as mart_received_units,
    costs.return_cost_amount as orders_return_cost_amount,
    mart.return_cost_amount as mart_return_cost_amount

from staged
cross join costs
cross join mart
where
    staged.requested_units <> mart.requested_units
    or staged.received_units <> mart.received_units
    or costs.return_cost_amount <> mart.return_cost_amount

-- The same returned units in both marts: dated by delivery here, line by line there.
with

months as (

    select
        delivery_month,
        returned_units
    from {{ ref('fct_return_rate_months') }}
    where breakdown = 'all' and is_mature

),

returned_lines as (

    select
        {{ month_of('returns.delivered_date') }} as delivery_month,
        sum(least(returns.received_quantity, returns.ordered_quantity)) as returned_units
    from {{ ref('fct_returns') }} as returns
    inner join {{ ref('int_orders__lines') }} as order_lines on returns.order_line_id = order_lines.order_line_id
    where
        returns.is_received
        and returns.delivered_date is not null
        and not order_lines.is_gift_card
        and not order_lines.is_gift_insert
    group by 1

)

select
    months.delivery_month,
    months.returned_units as returned_units_of_the_month,
    returned_lines.returned_units as returned_units_of_the_lines

from months
left join returned_lines on months.delivery_month = returned_lines.delivery_month
where months.returned_units <> coalesce(returned_lines.returned_units, 0)

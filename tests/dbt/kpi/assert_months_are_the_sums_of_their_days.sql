with

days as (

    select
        {{ month_of('calendar_date') }} as month_start,
        sum(order_count) as order_count,
        sum(unit_count) as unit_count,
        sum(new_customers) as new_customers,
        sum(gross_amount) as gross_amount,
        sum(net_order_dated_amount) as net_order_dated_amount,
        sum(net_refund_dated_amount) as net_refund_dated_amount,
        sum(contribution_margin_amount) as contribution_margin_amount

    from {{ ref('fct_kpi_days') }}
    group by 1

),

months as (

    select * from {{ ref('fct_kpi_months') }}

)

select
    coalesce(months.month_start, days.month_start) as month_start,
    months.order_count,
    days.order_count as order_count_of_days,
    months.net_order_dated_amount,
    days.net_order_dated_amount as net_order_dated_amount_of_days,
    months.net_refund_dated_amount,
    days.net_refund_dated_amount as net_refund_dated_amount_of_days

from months
full outer join days on months.month_start = days.month_start
where
    months.month_start is null
    or days.month_start is null
    or months.order_count <> days.order_count
    or months.unit_count <> days.unit_count
    or months.new_customers <> days.new_customers
    or months.gross_amount <> days.gross_amount
    or months.net_order_dated_amount <> days.net_order_dated_amount
    or months.net_refund_dated_amount <> days.net_refund_dated_amount
    or months.contribution_margin_amount <> days.contribution_margin_amount

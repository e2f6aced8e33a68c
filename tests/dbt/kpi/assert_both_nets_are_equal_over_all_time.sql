with

days as (

    select
        'days' as figures_by,
        sum(net_order_dated_amount) as net_order_dated_amount,
        sum(net_refund_dated_amount) as net_refund_dated_amount
    from {{ ref('fct_kpi_days') }}

),

months as (

    select
        'months' as figures_by,
        sum(net_order_dated_amount) as net_order_dated_amount,
        sum(net_refund_dated_amount) as net_refund_dated_amount
    from {{ ref('fct_kpi_months') }}

)

select * from days
where net_order_dated_amount <> net_refund_dated_amount
union all
select * from months
where net_order_dated_amount <> net_refund_dated_amount

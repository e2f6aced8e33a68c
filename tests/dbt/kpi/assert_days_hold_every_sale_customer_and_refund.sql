with

days as (

    select
        coalesce(sum(sale_count), 0) as sales,
        coalesce(sum(order_count), 0) as valid_orders,
        coalesce(sum(gross_amount), 0) as gross_amount,
        coalesce(sum(net_order_dated_amount), 0) as net_amount,
        coalesce(sum(contribution_margin_amount), 0) as contribution_margin_amount,
        coalesce(sum(net_refund_amount), 0) as net_refund_amount,
        coalesce(sum(customer_count), 0) as occasions,
        coalesce(sum(new_customers), 0) as customers
    from {{ ref('fct_kpi_days') }}

),

orders as (

    select
        count(*) as sales,
        count(*) filter (where is_valid_order) as valid_orders,
        coalesce(sum(gross_amount), 0) as gross_amount,
        coalesce(sum(net_amount), 0) as net_amount,
        coalesce(sum(contribution_margin_amount), 0) as contribution_margin_amount
    from {{ ref('fct_orders') }}
    where is_sale

),

refunds as (

    select coalesce(sum(net_refund_amount), 0) as net_refund_amount
    from {{ ref('fct_refunds') }}
    where is_sale

),

customers as (

    select
        coalesce(sum(occasion_count), 0) as occasions,
        count(*) filter (where order_count > 0) as customers
    from {{ ref('dim_customers') }}

),

whole as (

    select
        orders.sales,
        orders.valid_orders,
        orders.gross_amount,
        orders.net_amount,
        orders.contribution_margin_amount,
        refunds.net_refund_amount,
        customers.occasions,
        customers.customers
    from orders
    cross join refunds
    cross join customers

),

compared as (

    select 'fct_kpi_days' as figures_of, * from days
    union all
    select 'orders, refunds and customers' as figures_of, * from whole

)

select * from compared
where (
    select count(*) from (
        select
            sales, valid_orders, gross_amount, net_amount, contribution_margin_amount, net_refund_amount, occasions,
            customers
        from compared
        group by all
    ) as distinct_figures
) > 1

-- Customers and money of the groups, against the customers with a closed delivery and all their sales.
with

measured as (

    select distinct customer_id
    from {{ ref('int_deliveries__orders') }}
    where customer_id is not null and return_window_end_date <= {{ as_of_date() }}

),

sales as (

    select
        count(distinct orders.customer_id) as customers,
        coalesce(sum(orders.net_amount), 0) as net_amount,
        coalesce(sum(orders.contribution_margin_amount), 0) as contribution_margin_amount
    from {{ ref('int_orders__valued') }} as orders
    inner join measured on orders.customer_id = measured.customer_id
    where orders.is_sale

),

groups as (

    select
        case when main_reason_code = 'all' then 'all' else 'by reason' end as rows_summed,
        sum(customers) as customers,
        sum(net_amount) as net_amount,
        sum(contribution_margin_amount) as contribution_margin_amount
    from {{ ref('fct_returns_value') }}
    group by 1

)

select
    groups.rows_summed,
    sales.customers as customers_with_a_closed_delivery,
    groups.customers as customers_in_groups,
    sales.net_amount as net_amount_of_sales,
    groups.net_amount as net_amount_of_groups,
    sales.contribution_margin_amount as margin_of_sales,
    groups.contribution_margin_amount as margin_of_groups

from groups
cross join sales
where
    sales.customers <> groups.customers
    or sales.net_amount <> groups.net_amount
    or sales.contribution_margin_amount <> groups.contribution_margin_amount

-- Each breakdown divides the same orders, and they are the sales of the month.
with

sales as (

    select
        {{ month_of('ordered_date') }} as opened_month,
        count(*) as orders
    from {{ ref('fct_orders') }}
    where is_sale and not is_exchange
    group by 1

),

broken_down as (

    select
        opened_month,
        breakdown,
        sum(orders) as orders
    from {{ ref('fct_contact_drivers') }}
    where reason_code = 'all'
    group by 1, 2

)

select
    broken_down.opened_month,
    broken_down.breakdown,
    broken_down.orders,
    sales.orders as orders_in_fct_orders

from broken_down
left join sales on broken_down.opened_month = sales.opened_month
where broken_down.orders <> coalesce(sales.orders, 0)

-- Categories share out what was delivered and returned, reasons what was returned.
with

months as (

    select * from {{ ref('fct_return_rate_months') }}

),

totals as (

    select
        delivery_month,
        breakdown,
        sum(delivered_units) as delivered_units,
        coalesce(sum(returned_units), 0) as returned_units,
        coalesce(sum(returned_amount), 0) as returned_amount
    from months
    where breakdown <> 'all'
    group by 1, 2

)

select
    months.delivery_month,
    totals.breakdown,
    months.delivered_units as delivered_units_of_the_month,
    totals.delivered_units as delivered_units_of_the_breakdown,
    months.returned_units as returned_units_of_the_month,
    totals.returned_units as returned_units_of_the_breakdown,
    months.returned_amount as returned_amount_of_the_month,
    totals.returned_amount as returned_amount_of_the_breakdown

from months
inner join totals on months.delivery_month = totals.delivery_month
where
    months.breakdown = 'all'
    and (
        (totals.breakdown = 'category' and totals.delivered_units <> months.delivered_units)
        or totals.returned_units <> coalesce(months.returned_units, 0)
        or totals.returned_amount <> coalesce(months.returned_amount, 0)
    )

-- Every active customer of a month is in one group, whatever they were asked and said.
with

groups as (

    select
        month_start,
        sum(customers) as customers
    from {{ ref('fct_advocacy_months') }}
    group by 1

),

months as (

    select * from {{ ref('fct_referral_months') }}

)

select
    months.month_start,
    months.active_customers,
    groups.customers as customers_of_groups

from months
inner join groups on months.month_start = groups.month_start
where coalesce(months.active_customers, -1) <> coalesce(groups.customers, -1)

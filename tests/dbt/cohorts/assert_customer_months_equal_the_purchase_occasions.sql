{#- Counted again as sets of customers, month by month. -#}

with

customer_months as (

    select distinct
        customer_id,
        ordered_month,
        cohort_month
    from {{ ref('int_purchases__occasions') }}

),

counted as (

    select
        this_month.ordered_month,
        cast(count(*) as bigint) as active_customers,
        cast(count(*) filter (where this_month.cohort_month = this_month.ordered_month) as bigint) as new_customers,
        cast(count(month_before.customer_id) as bigint) as retained_customers,
        cast(count(year_before.customer_id) as bigint) as retained_customers_year_over_year

    from customer_months as this_month
    left join customer_months as month_before
        on this_month.customer_id = month_before.customer_id
        and month_before.ordered_month = {{ add_months('this_month.ordered_month', -1) }}
    left join customer_months as year_before
        on this_month.customer_id = year_before.customer_id
        and year_before.ordered_month = {{ add_months('this_month.ordered_month', -12) }}
    group by 1

),

retention_months as (

    select
        *,
        lag(active_customers) over (order by month_start asc nulls last) as active_customers_before
    from {{ ref('fct_customer_retention_months') }}

),

final as (

    select
        retention_months.month_start,
        retention_months.active_customers,
        counted.active_customers as active_customers_counted,
        retention_months.new_customers,
        counted.new_customers as new_customers_counted,
        retention_months.retained_customers,
        counted.retained_customers as retained_customers_counted,
        retention_months.lapsed_customers,
        retention_months.active_customers_before

    from retention_months
    full outer join counted on retention_months.month_start = counted.ordered_month
    where
        retention_months.month_start is null
        or retention_months.active_customers_so_far <> coalesce(counted.active_customers, 0)
        or retention_months.new_customers <> coalesce(counted.new_customers, 0)
        or retention_months.retained_customers <> coalesce(counted.retained_customers, 0)
        or retention_months.retained_customers_year_over_year
            <> coalesce(counted.retained_customers_year_over_year, 0)
        or retention_months.active_customers_before
            <> retention_months.retained_customers + retention_months.lapsed_customers

)

select * from final

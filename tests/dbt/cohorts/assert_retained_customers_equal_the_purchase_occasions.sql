{#- Counted again by the plain definitions, with a distinct over customers and without the mart's shortcuts. -#}

with

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

last_ages as (

    select
        cohort_month,
        last_age_month,
        last_age_30d,
        count(*) as customers
    from (
        select
            customer_id,
            cohort_month,
            max(age_month) as last_age_month,
            max(age_30d) as last_age_30d
        from occasions
        group by 1, 2
    ) as customers
    group by 1, 2, 3

),

counted as (

    select cohort_month, 'bounded' as retention_type, 'month' as age_unit, age_month as age,
        cast(count(distinct customer_id) as bigint) as customers_counted
    from occasions
    group by 1, 4

    union all

    select cohort_month, 'bounded', '30_days', age_30d, cast(count(distinct customer_id) as bigint)
    from occasions
    group by 1, 4

    union all

    select cohort_month, 'bracket', 'days',
        case
            when age_days <= 30 then 1
            when age_days <= 90 then 31
            when age_days <= 180 then 91
            else 181
        end,
        cast(count(distinct customer_id) as bigint)
    from occasions
    where age_days between 1 and 365
    group by 1, 4

    union all

    select cohort_month, 'rolling', 'month', numbers.n, cast(sum(customers) as bigint)
    from last_ages
    inner join {{ numbers(1200) }} as numbers on numbers.n <= last_ages.last_age_month
    group by 1, 4

    union all

    select cohort_month, 'rolling', '30_days', numbers.n, cast(sum(customers) as bigint)
    from last_ages
    inner join {{ numbers(1200) }} as numbers on numbers.n <= last_ages.last_age_30d
    group by 1, 4

),

cells as (

    select * from {{ ref('fct_cohort_retention') }}
    where segment_type = 'all'

),

final as (

    select
        coalesce(cells.cohort_month, counted.cohort_month) as cohort_month,
        coalesce(cells.retention_type, counted.retention_type) as retention_type,
        coalesce(cells.age_unit, counted.age_unit) as age_unit,
        coalesce(cells.age, counted.age) as age,
        cells.retained_so_far,
        counted.customers_counted

    from cells
    full outer join counted
        on cells.cohort_month = counted.cohort_month
        and cells.retention_type = counted.retention_type
        and cells.age_unit = counted.age_unit
        and cells.age = counted.age
    where
        cells.cohort_month is null
        or cells.retained_so_far <> coalesce(counted.customers_counted, 0)

)

select * from final

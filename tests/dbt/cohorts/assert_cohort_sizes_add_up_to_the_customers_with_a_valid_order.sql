{#- Once per segment type, age unit and way of counting that starts at age 0: a cohort that is missing anywhere shows. -#}

with

customers as (

    select cast(count(distinct customer_id) as bigint) as customers_with_a_valid_order
    from {{ ref('int_orders__valued') }}
    where is_valid_order

),

sizes as (

    select
        segment_type,
        age_unit,
        retention_type,
        cast(sum(cohort_size) as bigint) as customers_in_cohorts
    from {{ ref('fct_cohort_retention') }}
    where age = 0
    group by 1, 2, 3

),

expected_sums as (

    select segment_type, age_unit, retention_type
    from (select 'all' as segment_type union all select 'first_channel' union all select 'country') as segment_types
    cross join (select 'month' as age_unit union all select '30_days') as age_units
    cross join (select 'bounded' as retention_type union all select 'rolling') as retention_types

),

final as (

    select
        expected_sums.*,
        customers.customers_with_a_valid_order,
        coalesce(sizes.customers_in_cohorts, 0) as customers_in_cohorts

    from expected_sums
    cross join customers
    left join sizes
        on expected_sums.segment_type = sizes.segment_type
        and expected_sums.age_unit = sizes.age_unit
        and expected_sums.retention_type = sizes.retention_type
    where customers.customers_with_a_valid_order <> coalesce(sizes.customers_in_cohorts, 0)

)

select * from final

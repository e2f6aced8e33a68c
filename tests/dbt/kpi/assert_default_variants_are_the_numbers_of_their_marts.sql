with

variants as (

    select * from {{ ref('fct_metric_variants') }}
    where is_default and value is not null

),

marts as (

    select 'repeat_rate' as metric, month_start as period_start, 0 as age, repeat_rate_90d as value
    from {{ ref('fct_kpi_months') }}
    union all
    select 'returning_customer_share', month_start, 0, returning_customer_share
    from {{ ref('fct_kpi_months') }}
    where is_complete
    union all
    select 'average_order_value', month_start, 0, cast(average_order_value_amount as double)
    from {{ ref('fct_kpi_months') }}
    union all
    select 'repurchase_rate', cohort_month, day_n, repurchase_rate
    from {{ ref('fct_repurchase_curves') }}
    where day_n = 90 and nth_order = 2
    union all
    select 'customer_retention_rate', month_start, 0, customer_retention_rate
    from {{ ref('fct_customer_retention_months') }}
    union all
    select 'cohort_retention', cohort_month, age, retention_rate
    from {{ ref('fct_cohort_retention') }}
    where segment_type = 'all' and retention_type = 'bounded' and age_unit = 'month' and age in (1, 3, 6, 12)

)

select
    coalesce(variants.metric, marts.metric) as metric,
    coalesce(variants.period_start, marts.period_start) as period_start,
    coalesce(variants.age, marts.age) as age,
    variants.value as value_here,
    marts.value as value_of_the_mart

from marts
full outer join (
    select * from variants where metric in (select metric from marts)
) as variants
    on marts.metric = variants.metric
    and marts.period_start = variants.period_start
    and marts.age = variants.age
where
    coalesce(variants.value, marts.value) is not null
    -- The average is kept to the cent there, and half a cent may have gone either way.
    and coalesce(abs(variants.value - marts.value), 1)
        > case when coalesce(variants.metric, marts.metric) = 'average_order_value' then 0.005 + 1e-9 else 1e-9 end

with

wide as (

    {% for age in range(25) -%}
    select
        cohort_month, segment_type, segment, {{ age }} as age, cohort_size, m{{ age }} as retention_rate
    from {{ ref('fct_cohort_retention_wide') }}
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

long as (

    select * from {{ ref('fct_cohort_retention') }}
    where retention_type = 'bounded' and age_unit = 'month' and age <= 24

),

final as (

    select
        coalesce(wide.cohort_month, long.cohort_month) as cohort_month,
        coalesce(wide.segment_type, long.segment_type) as segment_type,
        coalesce(wide.segment, long.segment) as segment,
        coalesce(wide.age, long.age) as age,
        wide.retention_rate as rate_in_the_wide_table,
        long.retention_rate as rate_in_the_long_table

    from wide
    full outer join long
        on wide.cohort_month = long.cohort_month
        and wide.segment_type = long.segment_type
        and wide.segment = long.segment
        and wide.age = long.age
    where
        wide.cohort_month is null
        or wide.cohort_size <> long.cohort_size
        or coalesce(wide.retention_rate, -1) <> coalesce(long.retention_rate, -1)

)

select * from final

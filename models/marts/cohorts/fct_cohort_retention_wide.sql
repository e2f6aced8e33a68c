{{ config(materialized='view') }}

with

cells as (

    select
        *,
        case when is_mature then {{ ratio('retained_so_far', 'cohort_size') }} end as retention_rate
    from {{ ref('int_cohorts__retention_cells') }}
    where retention_type = 'bounded' and age_unit = 'month'

),

final as (

    select
        -- keys
        cohort_month,
        segment_type,
        segment,

        -- measures
        max(cohort_size) as cohort_size,
        {% for age in range(25) -%}
        max(case when age = {{ age }} then retention_rate end) as m{{ age }},
        {% endfor %}
        -- flags
        bool_or(is_left_truncated) as is_left_truncated,

        -- times
        {{ as_of_date() }} as as_of_date

    from cells
    group by 1, 2, 3

)

select * from final

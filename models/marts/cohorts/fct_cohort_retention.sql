with

cells as (

    select * from {{ ref('int_cohorts__retention_cells') }}

),

final as (

    select
        -- keys
        'first_order_month' as cohort_type,
        cohort_month,
        segment_type,
        segment,
        retention_type,
        age_unit,
        age,

        -- attributes
        age_label,

        -- measures: both sides of the rate are NULL together, so that no sum over cells mixes young and old
        cohort_size,
        case when is_mature then cohort_size end as eligible_customers,
        case when is_mature then retained_so_far end as retained_customers,
        case when is_mature then repeat_so_far end as repeat_customers,
        case when is_mature then {{ ratio('retained_so_far', 'cohort_size') }} end as retention_rate,
        case when is_mature then {{ wilson_low('retained_so_far', 'cohort_size') }} end as ci_low,
        case when is_mature then {{ wilson_high('retained_so_far', 'cohort_size') }} end as ci_high,
        retained_so_far,

        -- flags
        is_mature,
        is_left_truncated,
        retention_type = 'rolling' as restates_backwards,

        -- times
        window_end_date,
        {{ as_of_date() }} as as_of_date

    from cells

)

select * from final

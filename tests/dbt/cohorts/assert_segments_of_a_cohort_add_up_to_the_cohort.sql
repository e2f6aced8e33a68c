with

sums as (

    select
        cohort_month,
        retention_type,
        age_unit,
        age,
        segment_type,
        cast(sum(cohort_size) as bigint) as cohort_size,
        cast(sum(retained_so_far) as bigint) as retained_so_far,
        cast(sum(repeat_customers) as bigint) as repeat_customers
    from {{ ref('fct_cohort_retention') }}
    group by 1, 2, 3, 4, 5

),

final as (

    select
        whole.cohort_month,
        whole.retention_type,
        whole.age_unit,
        whole.age,
        parts.segment_type,
        whole.cohort_size,
        parts.cohort_size as cohort_size_of_segments,
        whole.retained_so_far,
        parts.retained_so_far as retained_so_far_of_segments

    from sums as whole
    inner join sums as parts
        on whole.cohort_month = parts.cohort_month
        and whole.retention_type = parts.retention_type
        and whole.age_unit = parts.age_unit
        and whole.age = parts.age
    where
        whole.segment_type = 'all'
        and (
            whole.cohort_size <> parts.cohort_size
            or whole.retained_so_far <> parts.retained_so_far
            or coalesce(whole.repeat_customers, -1) <> coalesce(parts.repeat_customers, -1)
        )

)

select * from final

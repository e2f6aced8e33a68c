with

cells as (

    select
        segment_type,
        segment,
        retention_type,
        age_unit,
        age,
        cast(sum(eligible_customers) as bigint) as eligible_customers,
        cast(sum(retained_customers) as bigint) as retained_customers
    from {{ ref('fct_cohort_retention') }}
    where not is_left_truncated
    group by 1, 2, 3, 4, 5

),

pooled as (

    select * from {{ ref('fct_cohort_retention_pooled') }}
    where method = 'weighted'

),

final as (

    select
        cells.*,
        pooled.eligible_customers as pooled_eligible_customers,
        pooled.retained_customers as pooled_retained_customers

    from cells
    full outer join pooled
        on cells.segment_type = pooled.segment_type
        and cells.segment = pooled.segment
        and cells.retention_type = pooled.retention_type
        and cells.age_unit = pooled.age_unit
        and cells.age = pooled.age
    where
        cells.segment is null
        or pooled.segment is null
        or coalesce(cells.eligible_customers, -1) <> coalesce(pooled.eligible_customers, -1)
        or coalesce(cells.retained_customers, -1) <> coalesce(pooled.retained_customers, -1)

)

select * from final

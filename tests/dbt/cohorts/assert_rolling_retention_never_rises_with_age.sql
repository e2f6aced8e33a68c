with

cells as (

    select * from {{ ref('fct_cohort_retention') }}
    where retention_type = 'rolling'

),

final as (

    select
        older.cohort_month,
        older.segment_type,
        older.segment,
        older.age_unit,
        older.age,
        younger.retained_so_far as retained_at_the_age_before,
        older.retained_so_far

    from cells as older
    inner join cells as younger
        on older.cohort_month = younger.cohort_month
        and older.segment_type = younger.segment_type
        and older.segment = younger.segment
        and older.age_unit = younger.age_unit
        and older.age = younger.age + 1
    where older.retained_so_far > younger.retained_so_far

)

select * from final

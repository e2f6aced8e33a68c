-- Tonight's new values beside the published cells, and nothing restated that was not closed the night before.
select
    restatements.cohort_month,
    restatements.age_month,
    restatements.new_cohort_size,
    retention.cohort_size,
    restatements.new_retained_customers,
    retention.retained_customers

from {{ ref('fct_cohort_restatements') }} as restatements
left join {{ ref('fct_cohort_retention') }} as retention
    on restatements.cohort_month = retention.cohort_month
    and restatements.age_month = retention.age
    and retention.age_unit = 'month'
    and retention.segment_type = 'all'
    and retention.retention_type = 'bounded'
where
    restatements.as_of_date = {{ as_of_date() }}
    and (
        coalesce(retention.cohort_size, 0) <> restatements.new_cohort_size
        or coalesce(retention.retained_customers, 0) <> restatements.new_retained_customers
        or retention.window_end_date > restatements.previous_as_of_date
    )

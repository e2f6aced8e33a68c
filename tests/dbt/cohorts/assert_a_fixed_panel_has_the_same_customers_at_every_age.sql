select
    segment_type,
    segment,
    retention_type,
    age_unit,
    panel_age,
    min(eligible_customers) as fewest_customers,
    max(eligible_customers) as most_customers,
    min(cohort_count) as fewest_cohorts,
    max(cohort_count) as most_cohorts

from {{ ref('fct_cohort_retention_pooled') }}
where method = 'fixed_panel'
group by 1, 2, 3, 4, 5
having min(eligible_customers) <> max(eligible_customers) or min(cohort_count) <> max(cohort_count)

with

dated as (

    select 'fct_membership_movements' as mart, membership_id as key, month_start as found_date
    from {{ ref('fct_membership_movements') }}
    union all
    select 'fct_membership_months', plan_code, month_start
    from {{ ref('fct_membership_months') }}
    union all
    select 'fct_membership_renewals', plan_code, start_cohort_month
    from {{ ref('fct_membership_renewals') }}
    union all
    select 'fct_membership_trials', program, trial_cohort_month
    from {{ ref('fct_membership_trials') }}
    union all
    select 'fct_membership_value', membership_id, started_date
    from {{ ref('fct_membership_value') }}
    union all
    select 'fct_membership_terms', membership_term_id, greatest(
        term_start,
        coalesce(paid_date, term_start),
        coalesce(covered_from, term_start),
        coalesce(continued_date, term_start),
        coalesce(cancel_requested_date, term_start)
    )
    from {{ ref('fct_membership_terms') }}

)

select * from dated
where found_date > {{ as_of_date() }}

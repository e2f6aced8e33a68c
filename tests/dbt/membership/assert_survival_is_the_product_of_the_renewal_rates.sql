with

by_cohort as (

    select
        program,
        plan_code,
        billing_period,
        start_cohort_month,
        term_number,
        renewal_rate,
        survival_rate
    from {{ ref('fct_membership_renewals') }}

),

pooled as (

    select
        program,
        plan_code,
        billing_period,
        cast(null as date) as start_cohort_month,
        term_number,
        renewal_rate,
        survival_rate
    from {{ ref('fct_membership_survival') }}

),

both_marts as (

    select * from by_cohort
    union all
    select * from pooled

),

-- Step by step from the term before; the models multiply through logarithms.
compared as (

    select
        both_marts.*,
        earlier.survival_rate as survival_before,
        case
            when both_marts.term_number
                = case when both_marts.billing_period = 'trial' then 0 else 1 end
                then both_marts.renewal_rate
            else earlier.survival_rate * both_marts.renewal_rate
        end as expected_survival_rate
    from both_marts
    left join both_marts as earlier
        on both_marts.program = earlier.program
        and both_marts.plan_code = earlier.plan_code
        and both_marts.billing_period = earlier.billing_period
        and coalesce(both_marts.start_cohort_month, cast('1900-01-01' as date))
            = coalesce(earlier.start_cohort_month, cast('1900-01-01' as date))
        and both_marts.term_number = earlier.term_number + 1

)

select * from compared
where coalesce(
    abs(survival_rate - expected_survival_rate) > 1e-9,
    (survival_rate is null) <> (expected_survival_rate is null)
)

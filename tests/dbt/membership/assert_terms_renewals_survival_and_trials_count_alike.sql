with

terms as (

    select
        program,
        plan_code,
        billing_period,
        term_number,
        sum(case when is_decided then 1 else 0 end) as decided,
        sum(case when is_renewed then 1 else 0 end) as renewed
    from {{ ref('fct_membership_terms') }}
    group by 1, 2, 3, 4

),

renewals as (

    select
        program,
        plan_code,
        billing_period,
        term_number,
        sum(decided_terms) as decided,
        sum(renewed_terms) as renewed
    from {{ ref('fct_membership_renewals') }}
    group by 1, 2, 3, 4

),

survival as (

    select program, plan_code, billing_period, term_number, decided_terms, renewed_terms
    from {{ ref('fct_membership_survival') }}

),

trials as (

    select program, sum(decided_trials) as decided, sum(converted_trials) as renewed
    from {{ ref('fct_membership_trials') }}
    group by 1

),

trial_terms as (

    select program, sum(decided) as decided, sum(renewed) as renewed
    from terms
    where billing_period = 'trial'
    group by 1

)

select
    'renewals and survival' as compared,
    terms.program,
    terms.plan_code,
    terms.billing_period,
    terms.term_number,
    terms.decided as decided_in_terms,
    renewals.decided as decided_in_renewals,
    survival.decided_terms as decided_elsewhere,
    terms.renewed as renewed_in_terms,
    renewals.renewed as renewed_in_renewals,
    survival.renewed_terms as renewed_elsewhere
from terms
left join renewals
    on terms.program = renewals.program
    and terms.plan_code = renewals.plan_code
    and terms.billing_period = renewals.billing_period
    and terms.term_number = renewals.term_number
left join survival
    on terms.program = survival.program
    and terms.plan_code = survival.plan_code
    and terms.billing_period = survival.billing_period
    and terms.term_number = survival.term_number
where
    terms.decided <> coalesce(renewals.decided, 0)
    or terms.renewed <> coalesce(renewals.renewed, 0)
    or terms.decided <> coalesce(survival.decided_terms, 0)
    or terms.renewed <> coalesce(survival.renewed_terms, 0)

union all

select
    'trials',
    trial_terms.program,
    null,
    'trial',
    null,
    trial_terms.decided,
    null,
    trials.decided,
    trial_terms.renewed,
    null,
    trials.renewed
from trial_terms
left join trials on trial_terms.program = trials.program
where
    trial_terms.decided <> coalesce(trials.decided, 0)
    or trial_terms.renewed <> coalesce(trials.renewed, 0)

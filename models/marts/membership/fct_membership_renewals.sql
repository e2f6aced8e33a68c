with

coverage as (

    select * from {{ ref('int_membership__coverage') }}
    where membership_term_id is not null

),

starts as (

    select
        membership_id,
        {{ month_of('min(covered_from)') }} as start_cohort_month
    from coverage
    group by 1

),

counted as (

    select
        coverage.program,
        coverage.plan_code,
        coverage.billing_period,
        coverage.term_number,
        starts.start_cohort_month,
        cast(count(*) as bigint) as started_terms,
        cast(count(*) filter (where coverage.is_due) as bigint) as due_terms,
        cast(count(*) filter (where coverage.is_decided) as bigint) as decided_terms,
        cast(count(*) filter (where coverage.is_decided and coverage.outcome = 'renewed') as bigint)
            as renewed_terms,
        cast(count(*) filter (
            where coverage.is_decided and coverage.outcome = 'ended_voluntary'
        ) as bigint) as ended_voluntary_terms,
        cast(count(*) filter (
            where coverage.is_decided and coverage.outcome = 'ended_involuntary'
        ) as bigint) as ended_involuntary_terms,
        {{ add_days('max(coverage.renewal_due_date)', var('membership_grace_days')) }}
            as last_window_end_date

    from coverage
    inner join starts on coverage.membership_id = starts.membership_id
    group by 1, 2, 3, 4, 5

),

-- More members may still arrive at a term while an earlier one, or the trial before it, is open.
windows_closed as (

    select
        counted.*,
        max(last_window_end_date) over earlier_terms as last_open_date,
        max(case when billing_period = 'trial' then last_window_end_date end) over (
            partition by program, start_cohort_month
        ) as last_trial_open_date,
        case
            when decided_terms = 0 then cast(null as double)
            when renewed_terms = 0 then cast(0 as double)
            else {{ ratio('renewed_terms', 'decided_terms') }}
        end as decided_rate,
        row_number() over earlier_terms as place,
        min(term_number) over earlier_terms as first_term_number

    from counted
    window earlier_terms as (
        partition by program, plan_code, billing_period, start_cohort_month
        order by term_number asc nulls last
        rows between unbounded preceding and current row
    )

),

judged as (

    select
        *,
        {{ add_months('start_cohort_month', 1) }} <= {{ add_days(as_of_date(), 1) }}
        and last_open_date <= {{ as_of_date() }}
        and coalesce(last_trial_open_date, cast('1900-01-01' as date)) <= {{ as_of_date() }}
        -- a pause without a term is censored, however long ago
        and decided_terms > 0 as is_mature

    from windows_closed

),

-- Survival is the running product of the rates; a term that is missing, open or unknown breaks it.
multiplied as (

    select
        *,
        case
            when term_number - first_term_number + 1 = place
                and first_term_number = case when billing_period = 'trial' then 0 else 1 end
                and min(case when is_mature then 1 else 0 end) over earlier_terms = 1
                then {{ running_product('decided_rate', 'earlier_terms') }}
        end as survival

    from judged
    window earlier_terms as (
        partition by program, plan_code, billing_period, start_cohort_month
        order by term_number asc nulls last
        rows between unbounded preceding and current row
    )

),

final as (

    select
        -- keys
        program,
        plan_code,
        billing_period,
        term_number,
        start_cohort_month,

        -- measures
        started_terms,
        due_terms,
        decided_terms,
        renewed_terms,
        ended_voluntary_terms,
        ended_involuntary_terms,
        case when is_mature then decided_rate end as renewal_rate,
        case when is_mature then {{ wilson_low('renewed_terms', 'decided_terms') }} end
            as renewal_rate_low,
        case when is_mature then {{ wilson_high('renewed_terms', 'decided_terms') }} end
            as renewal_rate_high,
        survival as survival_rate,

        -- flags
        is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from multiplied

)

select * from final

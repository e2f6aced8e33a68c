with

coverage as (

    select * from {{ ref('int_membership__coverage') }}

),

-- Days to the first fee, counted from the start of the trial; the trial's own end is not the fee's day.
first_fees as (

    select
        membership_id,
        run_number,
        min(paid_date) as first_paid_date
    from coverage
    where member_state = 'active'
    group by 1, 2

),

trials as (

    select
        coverage.program,
        coverage.membership_id,
        {{ month_of('coverage.covered_from') }} as trial_cohort_month,
        coverage.is_decided,
        coverage.is_decided and coverage.outcome = 'renewed' as is_converted,
        coverage.outcome,
        coverage.renewal_due_date,
        case when coverage.is_decided and coverage.outcome = 'renewed'
            then {{ days_between('coverage.covered_from', 'first_fees.first_paid_date') }}
        end as days_to_convert

    from coverage
    left join first_fees
        on coverage.membership_id = first_fees.membership_id
        and coverage.run_number = first_fees.run_number
    where coverage.member_state = 'trial'

),

counted as (

    select
        program,
        trial_cohort_month,
        cast(count(*) as bigint) as trials,
        cast(count(*) filter (where is_decided) as bigint) as decided_trials,
        cast(count(*) filter (where is_converted) as bigint) as converted_trials,
        cast(count(*) filter (where is_decided and outcome = 'ended_voluntary') as bigint)
            as cancelled_trials,
        cast(median(days_to_convert) as double) as median_days_to_convert,
        -- A trial that a pause has frozen never closes by itself and does not hold up the others.
        {{ add_months('trial_cohort_month', 1) }} <= {{ add_days(as_of_date(), 1) }}
        and {{ add_days('max(renewal_due_date)', var('membership_grace_days')) }}
            <= {{ as_of_date() }}
        and count(*) filter (where is_decided) > 0 as is_mature

    from trials
    group by 1, 2

),

final as (

    select
        -- keys
        program,
        trial_cohort_month,

        -- measures
        trials,
        decided_trials,
        converted_trials,
        cancelled_trials,
        case when is_mature then {{ ratio('converted_trials', 'decided_trials') }} end
            as conversion_rate,
        case when is_mature then {{ wilson_low('converted_trials', 'decided_trials') }} end
            as conversion_rate_low,
        case when is_mature then {{ wilson_high('converted_trials', 'decided_trials') }} end
            as conversion_rate_high,
        case when is_mature then median_days_to_convert end as median_days_to_convert,

        -- flags
        is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from counted

)

select * from final

with

waiting_days as (

    select * from {{ ref('int_cohorts__waiting_days') }}

),

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

cohorts as (

    select
        cohort_month,
        {{ end_of_month('cohort_month') }} as cohort_end_date,
        min(first_ordered_date) as first_member_date,
        bool_or(is_left_truncated) as is_left_truncated,
        cast(count(*) as bigint) as customers
    from customers
    group by 1

),

day_limits as (

    {% for day_n in [30, 60, 90, 180, 365] -%}
    select {{ day_n }} as day_n
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

-- Every cell of a cohort, also where nobody got that far.
cells as (

    select
        cohorts.*,
        day_limits.day_n,
        cast(numbers.n + 2 as integer) as nth_order,
        {{ add_days('cohorts.cohort_end_date', 'day_limits.day_n') }} <= {{ as_of_date() }} as is_mature,
        {{ days_between('cohorts.first_member_date', as_of_date()) }} as longest_watch_days
    from cohorts
    cross join day_limits
    cross join {{ numbers(3) }} as numbers

),

-- At risk on a day: everyone who has not left before it. Who is censored on a day still counts on that day.
risk as (

    select
        waiting_days.*,
        cast(cohorts.customers - coalesce(sum(
            waiting_days.reached_customers + waiting_days.censored_customers
        ) over days_before, 0) as bigint) as at_risk_customers,
        cast(sum(waiting_days.reached_customers) over (
            partition by waiting_days.cohort_month, waiting_days.nth_order
            order by waiting_days.day_number asc nulls last
            rows between unbounded preceding and current row
        ) as bigint) as reached_until_day

    from waiting_days
    inner join cohorts on waiting_days.cohort_month = cohorts.cohort_month
    window days_before as (
        partition by waiting_days.cohort_month, waiting_days.nth_order
        order by waiting_days.day_number asc nulls last
        rows between unbounded preceding and 1 preceding
    )

),

-- The product of (1 - hazard) as a sum of logarithms; a day on which everyone left at risk comes back ends the curve
-- at zero, where the logarithm has no value.
survival as (

    select
        cells.cohort_month,
        cells.nth_order,
        cells.day_n,
        cast(coalesce(sum(risk.reached_customers), 0) as bigint) as reached_so_far,
        case
            when max(case when risk.reached_customers = risk.at_risk_customers then 1 else 0 end) = 1 then 0
            else exp(coalesce(sum(
                case when risk.reached_customers < risk.at_risk_customers
                    then ln(1 - {{ ratio('risk.reached_customers', 'risk.at_risk_customers') }})
                end
            ), 0))
        end as surviving_share

    from cells
    left join risk
        on cells.cohort_month = risk.cohort_month
        and cells.nth_order = risk.nth_order
        and cells.day_n >= risk.day_number
    group by 1, 2, 3

),

-- Median of grouped days: the middle rank, or the mean of the two in the middle.
medians as (

    select
        survival.cohort_month,
        survival.nth_order,
        survival.day_n,
        cast(
            min(case when 2 * risk.reached_until_day >= survival.reached_so_far then risk.day_number end)
            + min(case when 2 * risk.reached_until_day >= survival.reached_so_far + 1 then risk.day_number end)
            as double
        ) / 2 as median_days

    from survival
    inner join risk
        on survival.cohort_month = risk.cohort_month
        and survival.nth_order = risk.nth_order
        and survival.day_n >= risk.day_number
    where risk.reached_customers > 0
    group by 1, 2, 3

),

final as (

    select
        -- keys
        cells.cohort_month,
        cells.day_n,
        cells.nth_order,

        -- measures
        cells.customers,
        case when cells.is_mature then cells.customers end as eligible_customers,
        case when cells.is_mature then survival.reached_so_far end as reached_customers,
        case when cells.is_mature then {{ ratio('survival.reached_so_far', 'cells.customers') }} end
            as repurchase_rate,
        case when cells.is_mature then {{ wilson_low('survival.reached_so_far', 'cells.customers') }} end as ci_low,
        case when cells.is_mature then {{ wilson_high('survival.reached_so_far', 'cells.customers') }} end as ci_high,
        case when cells.is_mature then medians.median_days end as median_days,
        -- Beyond the longest watch there is nothing to estimate from, unless everyone has come back before. Rounded,
        -- since the order in which an engine adds the logarithms moves the last digits.
        case
            when cells.longest_watch_days >= cells.day_n or survival.surviving_share = 0
                then round(1 - survival.surviving_share, 12)
        end as kaplan_meier_rate,
        survival.reached_so_far,

        -- flags
        cells.is_mature,
        cells.is_left_truncated,

        -- times
        {{ as_of_date() }} as as_of_date

    from cells
    inner join survival
        on cells.cohort_month = survival.cohort_month
        and cells.nth_order = survival.nth_order
        and cells.day_n = survival.day_n
    left join medians
        on cells.cohort_month = medians.cohort_month
        and cells.nth_order = medians.nth_order
        and cells.day_n = medians.day_n

)

select * from final

{{ config(materialized='view') }}

{#- More months than any shop has; the data window ends the list. -#}
{%- set month_limit = 1200 -%}

with

spells as (

    select * from {{ ref('int_membership__spells') }}
    where paid_term_count > 0

),

changes as (

    select * from {{ ref('int_membership__changes') }}

),

paying as (

    select
        changed_date,
        {{ money_sum('mrr_change_amount') }} as mrr_change_amount,
        {{ money_sum("case when movement in ('churn_voluntary', 'churn_involuntary') then -mrr_change_amount end") }}
            as churned_mrr_amount,
        {{ money_sum("case when movement = 'expansion' then mrr_change_amount end") }} as expansion_mrr_amount,
        cast(sum(
            case when is_told_here then
                case when state_after = 'active' then 1 else 0 end - case when state_before = 'active' then 1 else 0 end
            else 0 end
        ) as bigint) as member_change
    from changes
    group by 1

),

first_day as (

    select min(changed_date) as first_date from paying

),

months as (

    select
        {{ add_months(month_of('first_day.first_date'), 'numbers.n') }} as period_start,
        {{ end_of_month(add_months(month_of('first_day.first_date'), 'numbers.n')) }} as last_date
    from first_day
    inner join {{ numbers(month_limit) }} as numbers
        on numbers.n <= {{ months_between('first_day.first_date', as_of_date()) }}

),

money as (

    select
        months.period_start,
        months.last_date,
        cast(sum(case when paying.changed_date < months.period_start then paying.member_change else 0 end) as bigint)
            as opening_members,
        {{ money_sum('case when paying.changed_date <= ' ~ add_days('months.last_date', -30)
            ~ ' then paying.mrr_change_amount end') }} as mrr_30_days_ago,
        {{ money_sum('case when paying.changed_date > ' ~ add_days('months.last_date', -30)
            ~ ' then paying.churned_mrr_amount end') }} as churned_mrr,
        {{ money_sum('case when paying.changed_date > ' ~ add_days('months.last_date', -30)
            ~ ' then paying.expansion_mrr_amount end') }} as expansion_mrr

    from months
    inner join paying on months.last_date >= paying.changed_date
    group by 1, 2

),

-- Whose paid time ran out in the month, and came no more; and whose last paid month it was, whoever may still pay.
ends as (

    select
        {{ month_of('paid_through_date') }} as period_start,
        cast(count(*) filter (where ended_date is not null) as bigint) as expired_members
    from spells
    group by 1

),

last_months as (

    select
        {{ add_months(month_of(add_days('paid_through_date', -1)), 1) }} as period_start,
        cast(count(*) as bigint) as members_after_their_last_month
    from spells
    group by 1

),

joined as (

    select
        money.*,
        coalesce(ends.expired_members, 0) as expired_members,
        coalesce(last_months.members_after_their_last_month, 0) as members_after_their_last_month,
        money.last_date <= {{ as_of_date() }} as is_complete,
        -- A member of the last day may still pay until the grace is over.
        {{ add_days('money.last_date', var('membership_grace_days')) }} <= {{ as_of_date() }} as is_decided

    from money
    left join ends on money.period_start = ends.period_start
    left join last_months on money.period_start = last_months.period_start

),

final as (

    {{ metric_reading('membership_churn', 'expiration', 'share', 'joined', 'month', 'period_start', 'expired_members',
        'opening_members', is_mature='is_decided') }}
    union all
    {{ metric_reading('membership_churn', 'end_of_paid_period', 'share', 'joined', 'month', 'period_start',
        'expired_members', 'opening_members', is_mature='is_decided') }}
    union all
    {{ metric_reading('membership_churn', 'month_after_last', 'share', 'joined', 'month', 'period_start',
        'members_after_their_last_month', 'opening_members', is_mature='is_complete') }}
    union all
    {{ metric_reading('net_revenue_retention', 'last_30_days', 'share', 'joined', 'month', 'period_start',
        'mrr_30_days_ago - churned_mrr + expansion_mrr', 'mrr_30_days_ago', is_mature='is_complete') }}

)

select * from final

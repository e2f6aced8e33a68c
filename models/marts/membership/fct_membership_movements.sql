{%- set movements = [
    'new', 'trial_conversion', 'expansion', 'contraction', 'churn_voluntary', 'churn_involuntary',
    'reactivation', 'paused', 'resumed',
] -%}

with

changes as (

    select * from {{ ref('int_membership__changes') }}

),

coverage as (

    select * from {{ ref('int_membership__coverage') }}

),

memberships as (

    select
        membership_id,
        customer_id,
        program,
        {{ month_of('min(covered_from)') }} as first_month,
        max(case
            when state_until <= {{ as_of_date() }} then {{ month_of('state_until') }}
            else {{ month_of(as_of_date()) }}
        end) as last_month
    from coverage
    group by 1, 2, 3

),

shop_months as (

    select {{ add_months('bounds.first_month', 'numbers.n') }} as month_start
    from (select min(first_month) as first_month from memberships) as bounds
    cross join {{ numbers(1200) }} as numbers
    where {{ add_months('bounds.first_month', 'numbers.n') }} <= {{ as_of_date() }}

),

-- Without a hole between the first month and the last, so that a closing is the next one's opening.
spine as (

    select
        memberships.membership_id,
        memberships.customer_id,
        memberships.program,
        shop_months.month_start
    from memberships
    inner join shop_months
        on shop_months.month_start between memberships.first_month and memberships.last_month

),

monthly_changes as (

    select
        membership_id,
        {{ month_of('changed_date') }} as month_start,
        {% for movement in movements -%}
        {{ money_sum("case when movement = '" ~ movement ~ "' then mrr_change_amount else 0 end") }}
            as {{ movement }}_mrr_amount,
        {% endfor -%}
        {{ money_sum('transferred_amount') }} as transferred_mrr_amount

    from changes
    group by 1, 2

),

-- What stood at the end of the month's last known day, counted from the terms and not from the
-- movements: the two must agree.
month_ends as (

    select
        month_start,
        case
            when {{ add_days(add_months('month_start', 1), -1) }} > {{ as_of_date() }}
                then {{ as_of_date() }}
            else {{ add_days(add_months('month_start', 1), -1) }}
        end as last_known_date
    from shop_months

),

closings as (

    select
        coverage.membership_id,
        month_ends.month_start,
        {{ money_sum('coverage.mrr_amount') }} as closing_mrr_amount

    from coverage
    inner join month_ends
        on month_ends.last_known_date >= coverage.covered_from
        and month_ends.last_known_date < coverage.state_until
    group by 1, 2

),

final as (

    select
        -- keys
        spine.membership_id,
        spine.month_start,
        spine.customer_id,
        spine.program,

        -- measures
        cast(coalesce(lag(coalesce(closings.closing_mrr_amount, 0)) over (
            partition by spine.membership_id
            order by spine.month_start asc nulls last
        ), 0) as decimal(18, 2)) as opening_mrr_amount,
        {% for movement in movements + ['transferred'] -%}
        cast(coalesce(monthly_changes.{{ movement }}_mrr_amount, 0) as decimal(18, 2))
            as {{ movement }}_mrr_amount,
        {% endfor -%}
        cast(coalesce(closings.closing_mrr_amount, 0) as decimal(18, 2)) as closing_mrr_amount,
        '{{ var("shop_currency") }}' as currency_code,

        -- flags
        {{ add_months('spine.month_start', 1) }} <= {{ add_days(as_of_date(), 1) }} as is_complete,

        -- times
        {{ as_of_date() }} as as_of_date

    from spine
    left join monthly_changes
        on spine.membership_id = monthly_changes.membership_id
        and spine.month_start = monthly_changes.month_start
    left join closings
        on spine.membership_id = closings.membership_id
        and spine.month_start = closings.month_start

)

select * from final

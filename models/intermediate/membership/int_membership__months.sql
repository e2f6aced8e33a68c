with

changes as (

    select * from {{ ref('int_membership__changes') }}
    where is_told_here

),

-- Each state holds until the next change.
states as (

    select
        customer_id,
        program,
        changed_date,
        lead(changed_date) over (
            partition by customer_id, program
            order by changed_date asc nulls last
        ) as next_changed_date,
        state_after,
        plan_after,
        person_mrr_after_amount as mrr_after
    from changes

),

shop_months as (

    select
        {{ add_months('bounds.first_month', 'numbers.n') }} as month_start
    from (
        select {{ month_of('min(changed_date)') }} as first_month
        from changes
    ) as bounds
    cross join {{ numbers(1200) }} as numbers
    where {{ add_months('bounds.first_month', 'numbers.n') }} <= {{ as_of_date() }}

),

-- A person is listed from the first month to the month of the last change, or to the night's own
-- month while something runs.
listed as (

    select
        customer_id,
        program,
        {{ month_of('min(changed_date)') }} as first_month,
        max(case
            when next_changed_date is not null then {{ month_of('changed_date') }}
            when state_after = 'none' then {{ month_of('changed_date') }}
            else {{ month_of(as_of_date()) }}
        end) as last_month
    from states
    group by 1, 2

),

spine as (

    select
        listed.customer_id,
        listed.program,
        shop_months.month_start,
        {{ add_months('shop_months.month_start', 1) }} as next_month_start,
        case
            when {{ add_days(add_months('shop_months.month_start', 1), -1) }} > {{ as_of_date() }}
                then {{ as_of_date() }}
            else {{ add_days(add_months('shop_months.month_start', 1), -1) }}
        end as last_known_date
    from listed
    inner join shop_months
        on shop_months.month_start between listed.first_month and listed.last_month

),

closing as (

    select
        spine.customer_id,
        spine.program,
        spine.month_start,
        spine.next_month_start,
        states.state_after as closing_state,
        states.plan_after as closing_plan_code,
        states.mrr_after as closing_mrr_amount
    from spine
    inner join states
        on spine.customer_id = states.customer_id
        and spine.program = states.program
        and states.changed_date <= spine.last_known_date
        and (states.next_changed_date is null or states.next_changed_date > spine.last_known_date)

),

churned as (

    select distinct
        customer_id,
        program,
        {{ month_of('changed_date') }} as month_start
    from changes
    where movement in ('churn_voluntary', 'churn_involuntary')

),

final as (

    select
        -- keys
        closing.customer_id,
        closing.program,
        closing.month_start,

        -- measures
        coalesce(lag(closing.closing_mrr_amount) over person_months, 0) as opening_mrr_amount,
        closing.closing_mrr_amount,

        -- attributes
        coalesce(lag(closing.closing_state) over person_months, 'none') as opening_state,
        closing.closing_state,
        lag(closing.closing_plan_code) over person_months as opening_plan_code,
        closing.closing_plan_code,

        -- flags
        churned.customer_id is not null as has_churned,
        closing.next_month_start <= {{ add_days(as_of_date(), 1) }} as is_complete

    from closing
    left join churned
        on closing.customer_id = churned.customer_id
        and closing.program = churned.program
        and closing.month_start = churned.month_start
    window person_months as (
        partition by closing.customer_id, closing.program
        order by closing.month_start asc nulls last
    )

)

select * from final

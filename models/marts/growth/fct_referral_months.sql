{%- set follow_days = 180 -%}

with

referrals as (

    select * from {{ ref('fct_referrals') }}

),

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

orders as (

    select
        customer_id,
        ordered_date,
        contribution_margin_amount
    from {{ ref('int_orders__valued') }}
    where is_sale and customer_id is not null

),

first_month as (

    select {{ month_of('min(invited_date)') }} as month_start
    from referrals

),

months as (

    select {{ add_months('first_month.month_start', 'numbers.n') }} as month_start
    from first_month
    cross join {{ numbers(1200) }} as numbers
    where {{ add_months('first_month.month_start', 'numbers.n') }} <= {{ as_of_date() }}

),

invited as (

    select
        {{ month_of('invited_date') }} as month_start,
        cast(count(*) as bigint) as invites,
        cast(count(distinct referrer_customer_id) as bigint) as inviters,
        cast(count(*) filter (where is_converted) as bigint) as conversions,
        {{ money_sum('case when is_reward_granted then reward_amount else 0 end') }} as reward_cost_amount
    from referrals
    group by 1

),

-- A customer is active from an order until the next one, or for lapse_days.
stretches as (

    select
        ordered_date,
        {{ add_days('ordered_date', var('lapse_days') + 1) }} as lapses_on,
        lead(ordered_date) over (partition by customer_id order by ordered_date asc nulls last) as next_ordered_date
    from occasions

),

active_changes as (

    select {{ month_of('ordered_date') }} as month_start, 1 as change
    from stretches
    union all
    select {{ month_of('least(lapses_on, coalesce(next_ordered_date, lapses_on))') }}, -1
    from stretches

),

active_steps as (

    select
        month_start,
        cast(sum(sum(change)) over (
            order by month_start asc nulls last
            rows between unbounded preceding and current row
        ) as bigint) as active_customers,
        lead(month_start) over (order by month_start asc nulls last) as next_month_start
    from active_changes
    group by 1

),

-- Whom each new customer was brought by; a friend who came after the window was brought all the same.
brought as (

    select
        referred_customer_id as customer_id,
        case when is_reward_granted then reward_amount else 0 end as reward_amount
    from referrals
    where has_brought_a_customer

),

second_occasions as (

    select
        customer_id,
        age_days
    from occasions
    where occasion_number = 2

),

followed as (

    select
        customers.customer_id,
        customers.cohort_month as month_start,
        customers.first_ordered_date,
        brought.customer_id is not null as is_referred,
        coalesce(brought.reward_amount, 0) as reward_amount,
        coalesce(second_occasions.age_days <= {{ follow_days }}, false) as has_returned
    from customers
    left join brought on customers.customer_id = brought.customer_id
    left join second_occasions on customers.customer_id = second_occasions.customer_id
    where not customers.is_left_truncated

),

margins as (

    select
        followed.customer_id,
        sum(orders.contribution_margin_amount) as margin_amount
    from followed
    inner join orders
        on followed.customer_id = orders.customer_id
        and orders.ordered_date >= followed.first_ordered_date
        and orders.ordered_date <= {{ add_days('followed.first_ordered_date', follow_days) }}
    where followed.is_referred
    group by 1

),

new_customers as (

    select
        followed.month_start,
        cast(count(*) filter (where followed.is_referred) as bigint) as referred_customers,
        cast(count(*) filter (where followed.is_referred and followed.has_returned) as bigint)
            as referred_repeat_customers,
        cast(count(*) filter (where not followed.is_referred) as bigint) as other_new_customers,
        cast(count(*) filter (where not followed.is_referred and followed.has_returned) as bigint)
            as other_repeat_customers,
        {{ money_sum('margins.margin_amount') }} as referred_margin_amount,
        {{ money_sum('followed.reward_amount') }} as referred_reward_amount
    from followed
    left join margins on followed.customer_id = margins.customer_id
    group by 1

),

joined as (

    select
        months.month_start,
        coalesce(invited.invites, 0) as invites,
        coalesce(invited.inviters, 0) as inviters,
        coalesce(invited.conversions, 0) as conversions,
        coalesce(invited.reward_cost_amount, 0) as reward_cost_amount,
        active_steps.active_customers,
        coalesce(new_customers.referred_customers, 0) as referred_customers,
        coalesce(new_customers.referred_repeat_customers, 0) as referred_repeat_customers,
        coalesce(new_customers.other_new_customers, 0) as other_new_customers,
        coalesce(new_customers.other_repeat_customers, 0) as other_repeat_customers,
        coalesce(new_customers.referred_margin_amount, 0) as referred_margin_amount,
        coalesce(new_customers.referred_reward_amount, 0) as referred_reward_amount,
        {{ end_of_month('months.month_start') }} <= {{ as_of_date() }} as is_complete,
        {{ add_days(end_of_month('months.month_start'), var('referral_window_days')) }} <= {{ as_of_date() }}
            as is_mature,
        {{ add_days(end_of_month('months.month_start'), follow_days) }} <= {{ as_of_date() }} as is_follow_up_mature

    from months
    left join invited on months.month_start = invited.month_start
    left join active_steps
        on months.month_start >= active_steps.month_start
        and (active_steps.next_month_start is null or months.month_start < active_steps.next_month_start)
    left join new_customers on months.month_start = new_customers.month_start

),

final as (

    select
        -- keys
        month_start,

        -- measures of the invitations of the month
        invites,
        inviters,
        case when is_complete then active_customers end as active_customers,
        case when is_mature then conversions end as conversions,
        case when is_mature then {{ ratio('conversions', 'invites') }} end as conversion_rate,
        case when is_mature then {{ wilson_low('conversions', 'invites') }} end as conversion_rate_low,
        case when is_mature then {{ wilson_high('conversions', 'invites') }} end as conversion_rate_high,
        case when is_complete then {{ ratio('invites', 'active_customers') }} end as invites_per_active_customer,
        case when is_mature then {{ ratio('conversions', 'active_customers') }} end as k_factor,
        cast(reward_cost_amount as decimal(18, 2)) as reward_cost_amount,

        -- measures of the new customers of the month
        case when is_follow_up_mature then referred_customers end as referred_customers,
        case when is_follow_up_mature then referred_repeat_customers end as referred_repeat_customers,
        case when is_follow_up_mature then {{ ratio('referred_repeat_customers', 'referred_customers') }} end
            as referred_repeat_rate_180d,
        case when is_follow_up_mature then {{ wilson_low('referred_repeat_customers', 'referred_customers') }} end
            as referred_repeat_rate_180d_low,
        case when is_follow_up_mature then {{ wilson_high('referred_repeat_customers', 'referred_customers') }} end
            as referred_repeat_rate_180d_high,
        case when is_follow_up_mature then other_new_customers end as other_new_customers,
        case when is_follow_up_mature then other_repeat_customers end as other_repeat_customers,
        case when is_follow_up_mature then {{ ratio('other_repeat_customers', 'other_new_customers') }} end
            as other_repeat_rate_180d,
        cast(case when is_follow_up_mature then referred_margin_amount end as decimal(18, 2))
            as referred_margin_180d_amount,
        cast(case when is_follow_up_mature then referred_reward_amount end as decimal(18, 2))
            as referred_reward_amount,
        case when is_follow_up_mature then {{ ratio('referred_margin_amount', 'referred_reward_amount') }} end
            as payback_180d_ratio,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        is_complete,
        is_mature,
        is_follow_up_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from joined

)

select * from final

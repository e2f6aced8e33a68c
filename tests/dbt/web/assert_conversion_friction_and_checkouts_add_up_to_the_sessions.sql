-- Each breakdown of a month, each friction's week over its devices, and the checkouts of a month hold every session of a
-- person once.
with

sessions as (

    select
        *,
        {{ month_of('session_date') }} as session_month,
        cast(date_trunc('week', session_date) as date) as session_week
    from {{ ref('fct_sessions') }}
    where not is_suspected_bot

),

expected as (

    select 'conversion' as told_by, session_month as period, count(*) as sessions, count(*) filter (where has_purchased) as purchases
    from sessions
    group by 2
    union all
    select 'friction' as told_by, session_week as period, count(*) as sessions, count(*) filter (where has_purchased) as purchases
    from sessions
    group by 2
    union all
    select
        'checkout' as told_by,
        session_month as period,
        count(*) as sessions,
        count(*) filter (where has_purchased) as purchases
    from sessions
    where furthest_step in ('checkout', 'purchase')
    group by 2

),

told as (

    select
        'conversion' as told_by,
        breakdown as part,
        session_month as period,
        sum(sessions) as sessions,
        sum(purchase_sessions) as purchases
    from {{ ref('fct_conversion_months') }}
    group by 2, 3
    union all
    -- Every session either met an error or did not.
    select
        'friction' as told_by,
        case when device_type = 'all' then 'whole' else 'devices' end as part,
        session_week as period,
        sum(sessions + comparison_sessions) as sessions,
        sum(purchases + comparison_purchases) as purchases
    from {{ ref('fct_friction_weeks') }}
    where friction_type = 'error'
    group by 2, 3
    union all
    select
        'checkout' as told_by,
        'all' as part,
        checkout_month as period,
        sum(checkout_sessions) as sessions,
        sum(completed_sessions) as purchases
    from {{ ref('fct_checkout_months') }}
    where checkout_sessions is not null
    group by 3

),

-- A whole missing part would go unseen in a join by period.
parts as (

    select distinct told_by, part from told

)

select
    expected.told_by,
    parts.part,
    expected.period,
    expected.sessions,
    expected.purchases,
    told.sessions as told_sessions,
    told.purchases as told_purchases
from expected
inner join parts on expected.told_by = parts.told_by
full outer join told
    on expected.told_by = told.told_by
    and expected.period = told.period
    and parts.part = told.part
where
    coalesce(expected.sessions, -1) <> coalesce(told.sessions, -1)
    or coalesce(expected.purchases, -1) <> coalesce(told.purchases, -1)

with

referrals as (

    select
        {{ month_of('invited_date') }} as month_start,
        count(*) as invites,
        count(*) filter (where is_converted) as conversions
    from {{ ref('fct_referrals') }}
    group by 1

),

months as (

    select * from {{ ref('fct_referral_months') }}

),

friends as (

    select referred_customer_id
    from {{ ref('fct_referrals') }}
    where has_brought_a_customer
    group by 1
    having count(*) > 1

)

select
    'invitations' as broken_rule,
    cast(coalesce(referrals.month_start, months.month_start) as {{ string_type() }}) as found_at
from referrals
full outer join months on referrals.month_start = months.month_start
where
    coalesce(referrals.invites, 0) <> coalesce(months.invites, -1)
    or (months.is_mature and coalesce(referrals.conversions, 0) <> months.conversions)

union all

select 'a_friend_is_brought_once' as broken_rule, referred_customer_id as found_at
from friends

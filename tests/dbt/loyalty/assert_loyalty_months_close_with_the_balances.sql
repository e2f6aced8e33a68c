with

months as (

    select
        month_start,
        loyalty_tier,
        members,
        closing_points,
        opening_points,
        transferred_points,
        lag(closing_points) over (partition by loyalty_tier order by month_start asc nulls last) as closed_before
    from {{ ref('fct_loyalty_months') }}

),

tonight as (

    select loyalty_tier, count(*) as members, sum(points_balance) as points
    from {{ ref('int_loyalty__balances') }}
    -- Without a ledger there are tiers, and no months.
    where exists (select 1 from {{ ref('int_loyalty__movements') }})
    group by 1

),

last_month as (

    select loyalty_tier, members, closing_points
    from months
    where month_start = {{ month_of(as_of_date()) }}

)

select
    'opens_with_the_closing_before' as broken_rule,
    loyalty_tier,
    opening_points as left_points,
    closed_before as right_points
from months
where opening_points <> coalesce(closed_before, 0)

union all

select
    'closes_with_the_balances' as broken_rule,
    coalesce(tonight.loyalty_tier, last_month.loyalty_tier) as loyalty_tier,
    tonight.points as left_points,
    last_month.closing_points as right_points
from tonight
full outer join last_month on tonight.loyalty_tier = last_month.loyalty_tier
where
    coalesce(tonight.points, 0) <> coalesce(last_month.closing_points, 0)
    or coalesce(tonight.members, 0) <> coalesce(last_month.members, 0)

union all

select
    'transfers_sum_to_zero' as broken_rule,
    'all' as loyalty_tier,
    sum(transferred_points) as left_points,
    0 as right_points
from months
group by month_start
having sum(transferred_points) <> 0

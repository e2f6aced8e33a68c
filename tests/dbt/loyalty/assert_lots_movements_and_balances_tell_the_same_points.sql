with

lots as (

    select customer_id, sum(open_points) as points
    from {{ ref('int_loyalty__lots') }}
    group by 1

),

-- At every date: lots by the days on which they were opened and closed would need each day; the last movement of a
-- person has seen them all, and every movement before it adds up to it.
movements as (

    select
        customer_id,
        sum(moved_points) as net_points,
        max_by(points_balance, movement_number) as points,
        max_by(owed_points, movement_number) as owed_points
    from {{ ref('fct_loyalty_ledger') }}
    group by 1

),

balances as (

    select customer_id, points_balance as points, owed_points
    from {{ ref('int_loyalty__balances') }}
    where last_entry_date is not null

)

select
    movements.customer_id,
    movements.net_points,
    movements.points as ledger_points,
    lots.points as lot_points,
    balances.points as balance_points
from movements
full outer join balances on movements.customer_id = balances.customer_id
left join lots on movements.customer_id = lots.customer_id
where
    movements.customer_id is null
    or balances.customer_id is null
    or movements.net_points <> movements.points - movements.owed_points
    or movements.points <> coalesce(lots.points, 0)
    or movements.points <> balances.points
    or movements.owed_points <> balances.owed_points

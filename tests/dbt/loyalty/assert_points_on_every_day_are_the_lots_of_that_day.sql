-- For every day with a movement: what lots of earlier days were opened with, less all that left by then, is the balance
-- less what is owed. Entries are read as staged, and days on which points ran out as the lots tell them.
with

entered as (

    select
        customer_id,
        entry_date as movement_date,
        -- An expiry that the shop writes is told by the lots, or it would count twice.
        sum(case when entry_type <> 'expire' then points else 0 end) as points
    from {{ ref('int_loyalty__entries') }}
    group by 1, 2

),

ledger as (

    select
        customer_id,
        movement_date,
        sum(case when entry_type <> 'expire' then moved_points else 0 end) as points,
        sum(case when entry_type = 'expire' then -moved_points else 0 end) as expired_points,
        max_by(points_balance - owed_points, movement_number) as net_points
    from {{ ref('fct_loyalty_ledger') }}
    group by 1, 2

),

days as (

    select
        ledger.customer_id,
        ledger.movement_date,
        ledger.net_points,
        sum(coalesce(entered.points, 0) - ledger.expired_points) over (
            partition by ledger.customer_id
            order by ledger.movement_date asc nulls last
            rows between unbounded preceding and current row
        ) as summed_points
    from ledger
    left join entered
        on ledger.customer_id = entered.customer_id
        and ledger.movement_date = entered.movement_date

),

expired_by_lots as (

    select customer_id, sum(expired_points) as expired_points
    from {{ ref('int_loyalty__lots') }}
    group by 1

),

expired_by_ledger as (

    select customer_id, sum(expired_points) as expired_points
    from ledger
    group by 1

)

select
    customer_id,
    movement_date,
    net_points,
    summed_points
from days
where net_points <> summed_points

union all

-- What the lots call expired is no more than the movements say; less only where an expiry found nothing and is owed.
select
    expired_by_lots.customer_id,
    cast(null as date) as movement_date,
    expired_by_lots.expired_points as net_points,
    expired_by_ledger.expired_points as summed_points
from expired_by_lots
inner join expired_by_ledger on expired_by_lots.customer_id = expired_by_ledger.customer_id
where expired_by_lots.expired_points > expired_by_ledger.expired_points

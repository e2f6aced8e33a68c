-- The moves of a month hold every customer who had ordered by its end, once.
with

moves as (

    select
        month_start,
        sum(customers) as moved_customers
    from {{ ref('fct_lifecycle_moves') }}
    group by 1

),

known as (

    select
        moves.month_start,
        count(*) as known_customers
    from moves
    inner join {{ ref('int_purchases__customers') }} as customers
        on customers.first_ordered_date < {{ add_months('moves.month_start', 1) }}
    group by 1

)

select
    moves.month_start,
    moves.moved_customers,
    known.known_customers
from moves
left join known on moves.month_start = known.month_start
where moves.moved_customers <> coalesce(known.known_customers, 0)

-- Only where as_of_date is a month's last day: then the two judgements are of the same day.
with

moves as (

    select
        to_stage as stage,
        sum(customers) as moved_customers
    from {{ ref('fct_lifecycle_moves') }}
    where month_start = {{ month_of(as_of_date()) }}
    group by 1

),

current_stages as (

    select
        lifecycle_stage as stage,
        count(*) as current_customers
    from {{ ref('int_lifecycle__current') }}
    where last_day({{ as_of_date() }}) = {{ as_of_date() }}
    group by 1

)

select
    current_stages.stage,
    current_stages.current_customers,
    moves.moved_customers
from current_stages
left join moves on current_stages.stage = moves.stage
where current_stages.current_customers <> coalesce(moves.moved_customers, 0)

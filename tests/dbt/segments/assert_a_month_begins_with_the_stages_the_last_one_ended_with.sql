with

ended as (

    select
        {{ add_months('month_start', 1) }} as month_start,
        to_stage as stage,
        sum(customers) as customers_at_end
    from {{ ref('fct_lifecycle_moves') }}
    group by 1, 2

),

began as (

    select
        month_start,
        from_stage as stage,
        sum(customers) as customers_at_start
    from {{ ref('fct_lifecycle_moves') }}
    where from_stage <> 'prospect'
    group by 1, 2

),

months as (

    select month_start from ended
    intersect
    select month_start from began

),

kept_ends as (

    select ended.* from ended
    inner join months on ended.month_start = months.month_start

),

kept_starts as (

    select began.* from began
    inner join months on began.month_start = months.month_start

)

select
    coalesce(kept_ends.month_start, kept_starts.month_start) as month_start,
    coalesce(kept_ends.stage, kept_starts.stage) as stage,
    kept_ends.customers_at_end,
    kept_starts.customers_at_start
from kept_ends
full outer join kept_starts
    on kept_ends.month_start = kept_starts.month_start
    and kept_ends.stage = kept_starts.stage
where coalesce(kept_ends.customers_at_end, 0) <> coalesce(kept_starts.customers_at_start, 0)

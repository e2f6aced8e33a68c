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

)

select
    months.month_start,
    coalesce(ended.stage, began.stage) as stage,
    ended.customers_at_end,
    began.customers_at_start
from months
inner join ended on months.month_start = ended.month_start
full outer join began
    on ended.month_start = began.month_start
    and ended.stage = began.stage
where coalesce(ended.customers_at_end, 0) <> coalesce(began.customers_at_start, 0)

-- The running sums of a forecast are the sums of its weeks, expected and counted alike.
with

tracking as (

    select * from {{ ref('fct_score_tracking') }}

),

summed as (

    select
        *,
        sum(expected_orders) over weeks_so_far as expected_so_far,
        sum(actual_orders) over weeks_so_far as actual_so_far
    from tracking
    window weeks_so_far as (
        partition by score_name, horizon_days, model_name, origin_date
        order by week_number asc nulls last
        rows between unbounded preceding and current row
    )

)

select
    model_name,
    origin_date,
    week_number,
    expected_so_far,
    cumulative_expected_orders,
    actual_so_far,
    cumulative_actual_orders
from summed
where
    abs(expected_so_far - cumulative_expected_orders) > 1e-6 * greatest(1, cumulative_expected_orders)
    or actual_so_far <> cumulative_actual_orders

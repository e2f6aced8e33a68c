{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'score_tracking') }}

),

final as (

    select
        -- keys
        score_name,
        cast(horizon_days as bigint) as horizon_days,
        model_name,
        cast(origin_date as date) as origin_date,
        cast(week_number as bigint) as week_number,

        -- measures
        cast(judged_horizon_days as bigint) as judged_horizon_days,
        cast(weeks as bigint) as weeks,
        cast(expected_orders as double) as expected_orders,
        cast(actual_orders as double) as actual_orders,
        cast(cumulative_expected_orders as double) as cumulative_expected_orders,
        cast(cumulative_actual_orders as double) as cumulative_actual_orders,

        -- flags
        is_champion,

        -- times
        cast(week_end_date as date) as week_end_date,
        cast(fitted_at as timestamp) as fitted_at,
        cast(as_of_date as date) as as_of_date

    from scores

)

select * from final

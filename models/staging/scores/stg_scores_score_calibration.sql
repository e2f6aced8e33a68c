{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'score_calibration') }}

),

final as (

    select
        -- keys
        score_name,
        cast(horizon_days as bigint) as horizon_days,
        model_name,
        bin_type,
        cast(bin_number as bigint) as bin_number,

        -- measures
        cast(judged_horizon_days as bigint) as judged_horizon_days,
        cast(customers as bigint) as customers,
        cast(expected_mean as double) as expected_mean,
        cast(actual_mean as double) as actual_mean,
        cast(actual_low as double) as actual_low,
        cast(actual_high as double) as actual_high,

        -- attributes
        bin_label,

        -- flags
        is_champion,

        -- times
        cast(fitted_at as timestamp) as fitted_at,
        cast(as_of_date as date) as as_of_date

    from scores

)

select * from final

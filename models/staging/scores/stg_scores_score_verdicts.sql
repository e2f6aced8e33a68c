{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'score_verdicts') }}

),

final as (

    select
        -- keys
        score_name,
        cast(horizon_days as bigint) as horizon_days,
        model_name,

        -- measures
        cast(judged_horizon_days as bigint) as judged_horizon_days,
        cast(origins as bigint) as origins,
        cast(customers as bigint) as customers,
        cast(mean_loss as double) as mean_loss,
        cast(loss_difference as double) as loss_difference,
        cast(loss_difference_low as double) as loss_difference_low,
        cast(loss_difference_high as double) as loss_difference_high,
        cast(loss_gain as double) as loss_gain,
        cast(normalised_gini as double) as normalised_gini,
        cast(total_bias as double) as total_bias,
        cast(calibration_slope as double) as calibration_slope,
        cast(interval_coverage as double) as interval_coverage,

        -- attributes
        loss_name,
        hardest_baseline,
        reason,

        -- flags
        is_baseline,
        is_converged,
        is_beating_baselines,
        is_calibrated,
        is_passing,
        is_champion,

        -- times
        cast(fitted_at as timestamp) as fitted_at,
        cast(as_of_date as date) as as_of_date

    from scores

)

select * from final

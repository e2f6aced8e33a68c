{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'score_backtests') }}

),

final as (

    select
        -- keys
        score_name,
        cast(horizon_days as bigint) as horizon_days,
        model_name,
        cast(origin_date as date) as origin_date,

        -- measures
        cast(judged_horizon_days as bigint) as judged_horizon_days,
        cast(customers as bigint) as customers,
        cast(actual_total as double) as actual_total,
        cast(expected_total as double) as expected_total,
        cast(mean_loss as double) as mean_loss,
        cast(mean_absolute_error as double) as mean_absolute_error,
        cast(root_mean_squared_error as double) as root_mean_squared_error,
        cast(total_bias as double) as total_bias,
        cast(spearman_correlation as double) as spearman_correlation,
        cast(normalised_gini as double) as normalised_gini,
        cast(top_decile_capture as double) as top_decile_capture,
        cast(brier_score as double) as brier_score,
        cast(brier_skill as double) as brier_skill,
        cast(expected_calibration_error as double) as expected_calibration_error,
        cast(area_under_curve as double) as area_under_curve,
        cast(lift_top_decile as double) as lift_top_decile,
        cast(calibration_slope as double) as calibration_slope,
        cast(calibration_intercept as double) as calibration_intercept,
        cast(interval_coverage as double) as interval_coverage,

        -- attributes
        loss_name,
        level,
        fit_verdict,

        -- flags
        is_baseline,
        is_champion,

        -- times
        cast(fitted_at as timestamp) as fitted_at,
        cast(as_of_date as date) as as_of_date

    from scores

)

select * from final

with

scores as (

    select * from {{ ref('stg_scores_score_backtests') }}

),

final as (

    select
        -- keys
        score_name,
        horizon_days,
        model_name,
        origin_date,

        -- measures
        judged_horizon_days,
        customers,
        actual_total,
        expected_total,
        mean_loss,
        mean_absolute_error,
        root_mean_squared_error,
        total_bias,
        spearman_correlation,
        normalised_gini,
        top_decile_capture,
        brier_score,
        brier_skill,
        expected_calibration_error,
        area_under_curve,
        lift_top_decile,
        calibration_slope,
        calibration_intercept,
        interval_coverage,

        -- attributes
        loss_name,
        level,
        fit_verdict,

        -- flags
        is_baseline,
        is_champion,

        -- times
        {{ as_of_date() }} as as_of_date

    from scores

)

select * from final

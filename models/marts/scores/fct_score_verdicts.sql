with

scores as (

    select * from {{ ref('stg_scores_score_verdicts') }}

),

final as (

    select
        -- keys
        score_name,
        horizon_days,
        model_name,

        -- measures
        judged_horizon_days,
        origins,
        customers,
        mean_loss,
        loss_difference,
        loss_difference_low,
        loss_difference_high,
        loss_gain,
        normalised_gini,
        total_bias,
        calibration_slope,
        interval_coverage,

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
        {{ as_of_date() }} as as_of_date

    from scores

)

select * from final

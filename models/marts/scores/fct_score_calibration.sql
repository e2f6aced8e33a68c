with

scores as (

    select * from {{ ref('stg_scores_score_calibration') }}

),

final as (

    select
        -- keys
        score_name,
        horizon_days,
        model_name,
        bin_type,
        bin_number,

        -- measures
        judged_horizon_days,
        customers,
        expected_mean,
        actual_mean,
        actual_low,
        actual_high,

        -- attributes
        bin_label,

        -- flags
        is_champion,

        -- times
        {{ as_of_date() }} as as_of_date

    from scores

)

select * from final

with

scores as (

    select * from {{ ref('stg_scores_score_tracking') }}

),

final as (

    select
        -- keys
        score_name,
        horizon_days,
        model_name,
        origin_date,
        week_number,

        -- measures
        judged_horizon_days,
        weeks,
        expected_orders,
        actual_orders,
        cumulative_expected_orders,
        cumulative_actual_orders,

        -- flags
        is_champion,

        -- times
        week_end_date,
        {{ as_of_date() }} as as_of_date

    from scores

)

select * from final

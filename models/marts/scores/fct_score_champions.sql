with

scores as (

    select * from {{ ref('stg_scores_score_champions') }}

),

final as (

    select
        -- keys
        as_of_date,
        score_name,
        horizon_days,

        -- measures
        judged_horizon_days,
        origins,
        customers,
        loss_gain,
        challenger_loss_difference,
        challenger_loss_difference_low,
        challenger_loss_difference_high,

        -- attributes
        champion_model_name,
        incumbent_model_name,
        challenger_model_name,
        level,
        origins_note,
        reason,

        -- flags
        is_published,
        is_replay

    from scores

)

select * from final

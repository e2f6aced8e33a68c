{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'score_champions') }}
    -- What a later night ruled is not known to an earlier one that is run again.
    where as_of_date <= {{ as_of_date() }}

),

final as (

    select
        -- keys
        cast(as_of_date as date) as as_of_date,
        score_name,
        cast(horizon_days as bigint) as horizon_days,

        -- measures
        cast(judged_horizon_days as bigint) as judged_horizon_days,
        cast(origins as bigint) as origins,
        cast(customers as bigint) as customers,
        cast(loss_gain as double) as loss_gain,
        cast(challenger_loss_difference as double) as challenger_loss_difference,
        cast(challenger_loss_difference_low as double) as challenger_loss_difference_low,
        cast(challenger_loss_difference_high as double) as challenger_loss_difference_high,

        -- attributes
        champion_model_name,
        incumbent_model_name,
        challenger_model_name,
        level,
        origins_note,
        reason,

        -- flags
        is_published,
        is_replay,

        -- times
        cast(fitted_at as timestamp) as fitted_at

    from scores

)

select * from final

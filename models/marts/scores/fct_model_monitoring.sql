with

scores as (

    select * from {{ ref('stg_scores_model_monitoring') }}

),

final as (

    select
        -- keys
        score_name,
        horizon_days,
        model_name,
        subject_type,
        subject_name,
        measure_name,
        origin_date,

        -- measures
        judged_horizon_days,
        customers,
        value,

        -- times
        {{ as_of_date() }} as as_of_date

    from scores

)

select * from final

{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'model_monitoring') }}

),

final as (

    select
        -- keys
        score_name,
        cast(horizon_days as bigint) as horizon_days,
        model_name,
        subject_type,
        subject_name,
        measure_name,
        cast(origin_date as date) as origin_date,

        -- measures
        cast(judged_horizon_days as bigint) as judged_horizon_days,
        cast(customers as bigint) as customers,
        cast(value as double) as value,

        -- times
        cast(fitted_at as timestamp) as fitted_at,
        cast(as_of_date as date) as as_of_date

    from scores

)

select * from final

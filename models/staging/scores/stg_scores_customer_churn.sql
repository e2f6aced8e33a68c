{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'customer_churn') }}

),

final as (

    select
        -- keys
        customer_id,
        cast(horizon_days as bigint) as horizon_days,

        -- measures
        cast(p_order as double) as p_order,
        cast(p_churn as double) as p_churn,

        -- attributes
        relative_risk_band,
        reason_1,
        reason_2,
        reason_3,
        level,
        model_name,
        model_version,

        -- flags
        is_one_time_buyer,

        -- times
        cast(label_available_on as date) as label_available_on,
        cast(scored_as_of_date as date) as scored_as_of_date,
        cast(fitted_at as timestamp) as fitted_at

    from scores

)

select * from final

{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'score_reasons') }}

),

final as (

    select
        -- keys
        customer_id,
        cast(horizon_days as bigint) as horizon_days,
        cast(reason_number as bigint) as reason_number,

        -- measures
        cast(contribution as double) as contribution,

        -- attributes
        feature_name,
        reason,
        model_name,
        model_version,

        -- times
        cast(scored_as_of_date as date) as scored_as_of_date,
        cast(fitted_at as timestamp) as fitted_at

    from scores

)

select * from final

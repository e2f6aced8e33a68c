{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'customer_next_order') }}

),

final as (

    select
        -- keys
        customer_id,

        -- attributes
        level,
        model_name,
        model_version,

        -- times
        cast(expected_next_order_date as date) as expected_next_order_date,
        cast(next_order_p50_date as date) as next_order_p50_date,
        cast(next_order_p90_date as date) as next_order_p90_date,
        cast(scored_as_of_date as date) as scored_as_of_date,
        cast(fitted_at as timestamp) as fitted_at

    from scores

)

select * from final

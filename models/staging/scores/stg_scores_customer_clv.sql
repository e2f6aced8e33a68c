{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'customer_clv') }}

),

final as (

    select
        -- keys
        customer_id,

        -- measures
        cast(p_alive as double) as p_alive,
        cast(p_order_90d as double) as p_order_90d,
        cast(p_churn_90d as double) as p_churn_90d,
        cast(expected_orders_365d as double) as expected_orders_365d,
        cast(expected_order_value_amount as decimal(18, 2)) as expected_order_value_amount,
        cast(residual_clv_365d_amount as decimal(18, 2)) as residual_clv_365d_amount,

        -- attributes
        order_value_model_name,
        model_name,
        model_version,

        -- times
        cast(fitted_at as timestamp) as fitted_at,
        cast(as_of_date as date) as as_of_date

    from scores

)

select * from final

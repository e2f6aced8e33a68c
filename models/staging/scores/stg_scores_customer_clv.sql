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
        cast(expected_orders_365d as double) as expected_orders_365d,
        cast(orders_365d_p10 as double) as orders_365d_p10,
        cast(orders_365d_p90 as double) as orders_365d_p90,
        cast(expected_order_value_amount as decimal(18, 2)) as expected_order_value_amount,
        cast(margin_ratio as double) as margin_ratio,
        cast(residual_clv_365d_amount as decimal(18, 2)) as residual_clv_365d_amount,
        cast(residual_clv_365d_p10_amount as decimal(18, 2)) as residual_clv_365d_p10_amount,
        cast(residual_clv_365d_p90_amount as decimal(18, 2)) as residual_clv_365d_p90_amount,

        -- attributes
        order_value_model_name,
        level,
        model_name,
        model_version,

        -- times
        cast(scored_as_of_date as date) as scored_as_of_date,
        cast(fitted_at as timestamp) as fitted_at

    from scores

)

select * from final

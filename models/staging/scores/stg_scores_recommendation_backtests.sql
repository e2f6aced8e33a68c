{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'recommendation_backtests') }}

),

final as (

    select
        -- keys
        method,
        cast(origin_date as date) as origin_date,
        item_scope,
        metric_name,

        -- measures
        cast(customers as bigint) as customers,
        cast(value as double) as value,
        cast(value_low as double) as value_low,
        cast(value_high as double) as value_high,
        cast(ndcg_difference as double) as ndcg_difference,
        cast(ndcg_difference_low as double) as ndcg_difference_low,
        cast(ndcg_difference_high as double) as ndcg_difference_high,

        -- attributes
        hardest_yardstick,
        reason,

        -- flags
        is_yardstick,
        is_passing,
        is_champion,

        -- times
        cast(as_of_date as date) as as_of_date

    from scores

)

select * from final

with

backtests as (

    select * from {{ ref('stg_scores_recommendation_backtests') }}

),

final as (

    select
        -- keys
        method,
        origin_date,
        item_scope,
        metric_name,

        -- measures
        customers,
        value,
        value_low,
        value_high,
        ndcg_difference,
        ndcg_difference_low,
        ndcg_difference_high,

        -- attributes
        hardest_yardstick,
        reason,

        -- flags
        is_yardstick,
        is_passing,
        is_champion,

        -- times
        {{ as_of_date() }} as as_of_date

    from backtests
    where as_of_date = {{ as_of_date() }}

)

select * from final

{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'product_recommendations') }}

),

final as (

    select
        -- keys
        customer_id,
        cast(recommendation_rank as integer) as recommendation_rank,
        variant_id,

        -- measures
        cast(score as double) as score,

        -- attributes
        method,
        reason,

        -- times
        cast(as_of_date as date) as as_of_date

    from scores

)

select * from final

with

recommendations as (

    select * from {{ ref('stg_scores_product_recommendations') }}

),

variants as (

    select * from {{ ref('int_recommendations__variants') }}

),

final as (

    select
        -- keys
        recommendations.customer_id,
        recommendations.recommendation_rank,
        recommendations.variant_id,
        variants.product_id,

        -- measures
        recommendations.score,

        -- attributes
        recommendations.method,
        recommendations.reason,
        coalesce(variants.title, variants.variant_id) as product_title,
        variants.category_l1 as product_category,

        -- times
        {{ as_of_date() }} as as_of_date

    from recommendations
    inner join variants on recommendations.variant_id = variants.variant_id
    -- A mart that is built for another day than the scores were made for has nobody's list.
    where recommendations.as_of_date = {{ as_of_date() }}

)

select * from final

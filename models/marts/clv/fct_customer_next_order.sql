with

scores as (

    select * from {{ ref('stg_scores_customer_next_order') }}

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
        expected_next_order_date,
        next_order_p50_date,
        next_order_p90_date,
        scored_as_of_date,
        {{ as_of_date() }} as as_of_date

    from scores

)

select * from final

with

scores as (

    select * from {{ ref('stg_scores_customer_next_order') }}
    -- An older night's score may name somebody who has since joined another person, gave everything back or was erased.
    where customer_id in (select customer_id from {{ ref('int_purchases__customers') }})

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

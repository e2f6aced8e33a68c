with

scores as (

    select * from {{ ref('stg_scores_score_reasons') }}
    -- An older night's score may name somebody who has since joined another person, gave everything back or was erased.
    where customer_id in (select customer_id from {{ ref('int_purchases__customers') }})

),

final as (

    select
        -- keys
        customer_id,
        horizon_days,
        reason_number,

        -- measures
        contribution,

        -- attributes
        feature_name,
        reason,
        model_name,
        model_version,

        -- times
        scored_as_of_date,
        {{ as_of_date() }} as as_of_date

    from scores

)

select * from final

with

scores as (

    select * from {{ ref('stg_scores_customer_churn') }}
    -- An older night's score may name somebody who has since joined another person, gave everything back or was erased.
    where customer_id in (select customer_id from {{ ref('int_purchases__customers') }})

),

final as (

    select
        -- keys
        customer_id,
        horizon_days,

        -- measures
        p_order,
        p_churn,

        -- attributes
        relative_risk_band,
        reason_1,
        reason_2,
        reason_3,
        level,
        model_name,
        model_version,

        -- flags
        is_one_time_buyer,

        -- times
        label_available_on,
        scored_as_of_date,
        {{ as_of_date() }} as as_of_date

    from scores

)

select * from final

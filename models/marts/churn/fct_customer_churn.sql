with

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

cycles as (

    select * from {{ ref('int_lifecycle__personal_cycles') }}

),

scores as (

    select * from {{ ref('stg_scores_customer_churn') }}
    where horizon_days = {{ var('churn_horizon_days') }}

),

final as (

    select
        -- keys
        customers.customer_id,

        -- measures
        customers.recency_days as days_since_last_order,
        customers.occasion_count,
        cycles.cycle_days,
        -- Three cycles without an order are silence, and nobody is silent within a month.
        case when cycles.cycle_days is not null then greatest(cast(30 as double), 3 * cycles.cycle_days) end
            as personal_lapse_days,
        scores.p_churn as p_churn_90d,

        -- attributes
        cycles.cycle_source,
        {{ risk_band('scores.p_churn') }} as risk_band,
        scores.relative_risk_band,
        scores.reason_1,
        scores.reason_2,
        scores.reason_3,
        scores.level,
        scores.model_name,
        scores.model_version,

        -- flags
        customers.occasion_count = 1 as is_one_time_buyer,
        customers.recency_days > {{ var('lapse_days') }} as is_lapsed_fixed,
        -- greatest() passes over NULL, so the missing cycle is asked for by name
        case when cycles.cycle_days is not null
            then customers.recency_days > greatest(cast(30 as double), 3 * cycles.cycle_days)
        end as is_lapsed_personal,

        -- times
        customers.last_ordered_date,
        coalesce(
            scores.label_available_on, {{ add_days(as_of_date(), var('churn_horizon_days')) }}
        ) as label_available_on,
        scores.scored_as_of_date,
        {{ as_of_date() }} as as_of_date

    from customers
    inner join cycles on customers.customer_id = cycles.customer_id
    left join scores on customers.customer_id = scores.customer_id

)

select * from final

{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'effects') }}

),

final as (

    select
        -- keys
        event_family,
        event_name,
        cast(ordinal as bigint) as ordinal,
        outcome_name,

        -- measures
        cast(horizon_days as bigint) as horizon_days,
        cast(treated_count as bigint) as treated_customers,
        cast(control_count as bigint) as control_customers,
        cast(customer_count as bigint) as customers,
        cast(treated_mean as double) as treated_mean,
        cast(control_mean as double) as control_mean,
        cast(others_mean as double) as others_mean,
        cast(naive_difference as double) as naive_difference,
        cast(naive_low_80 as double) as naive_low_80,
        cast(naive_high_80 as double) as naive_high_80,
        cast(naive_low_95 as double) as naive_low_95,
        cast(naive_high_95 as double) as naive_high_95,
        cast(adjusted_difference as double) as adjusted_difference,
        cast(adjusted_low_80 as double) as adjusted_low_80,
        cast(adjusted_high_80 as double) as adjusted_high_80,
        cast(adjusted_low_95 as double) as adjusted_low_95,
        cast(adjusted_high_95 as double) as adjusted_high_95,
        cast(placebo_difference as double) as placebo_difference,
        cast(placebo_low_95 as double) as placebo_low_95,
        cast(placebo_high_95 as double) as placebo_high_95,
        cast(propensity_lowest as double) as propensity_lowest,
        cast(propensity_highest as double) as propensity_highest,
        cast(trimmed_share as double) as trimmed_share,
        cast(trimmed_treated_share as double) as trimmed_treated_share,
        cast(effective_treated_count as double) as effective_treated_customers,
        cast(effective_control_count as double) as effective_control_customers,
        cast(largest_difference_before as double) as largest_difference_before,
        cast(largest_difference_after as double) as largest_difference_after,

        -- attributes
        with_event,
        without_event,
        method,
        estimand,
        verdict,

        -- flags
        is_identified,
        is_placebo_passed,

        -- times
        cast(estimated_at as timestamp) as estimated_at,
        cast(as_of_date as date) as as_of_date

    from scores

)

select * from final

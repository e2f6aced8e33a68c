{{ config(materialized='view') }}

with

scores as (

    select * from {{ source('scores', 'membership_value') }}

),

final as (

    select
        -- keys
        membership_id,
        customer_id,

        -- measures
        cast(p_next_renewal as double) as p_next_renewal,
        cast(expected_fees_365d_amount as decimal(18, 2)) as expected_fees_365d_amount,
        cast(expected_benefit_cost_365d_amount as decimal(18, 2)) as expected_benefit_cost_365d_amount,
        cast(membership_value_365d_amount as decimal(18, 2)) as membership_value_365d_amount,
        cast(membership_value_365d_p10_amount as decimal(18, 2)) as membership_value_365d_p10_amount,
        cast(membership_value_365d_p90_amount as decimal(18, 2)) as membership_value_365d_p90_amount,

        -- attributes
        model_name,
        model_version,

        -- times
        cast(scored_as_of_date as date) as scored_as_of_date,
        cast(fitted_at as timestamp) as fitted_at

    from scores

)

select * from final

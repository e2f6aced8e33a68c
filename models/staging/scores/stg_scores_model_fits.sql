{{ config(materialized='view') }}

with

fits as (

    select * from {{ source('scores', 'model_fits') }}

),

final as (

    select
        -- keys
        model_name,
        parameter,

        -- measures
        cast(value as double) as parameter_value,
        cast(standard_error as double) as standard_error,
        cast(log_likelihood as double) as log_likelihood,
        cast(n_customers as bigint) as customers,

        -- attributes
        level,
        verdict,
        model_version,

        -- flags
        is_used,
        is_converged,

        -- times
        cast(fitted_at as timestamp) as fitted_at,
        cast(as_of_date as date) as as_of_date

    from fits

)

select * from final

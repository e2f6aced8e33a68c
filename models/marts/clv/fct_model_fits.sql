with

fits as (

    select * from {{ ref('stg_scores_model_fits') }}

),

final as (

    select
        -- keys
        model_name,
        parameter,

        -- measures
        parameter_value,
        standard_error,
        log_likelihood,
        customers,

        -- attributes
        level,
        verdict,
        model_version,

        -- flags
        is_used,
        is_converged,

        -- times
        as_of_date

    from fits

)

select * from final

with

interactions as (

    select * from {{ ref('int_web__interactions') }}

),

final as (

    select
        -- keys
        customer_id,
        variant_id,
        interaction_type,
        interaction_date,

        -- measures
        interaction_count,
        quantity,
        rating,
        weight,

        -- times
        {{ as_of_date() }} as as_of_date

    from interactions

)

select * from final

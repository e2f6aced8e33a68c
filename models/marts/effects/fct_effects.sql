with

effects as (

    select * from {{ ref('stg_scores_effects') }}

),

final as (

    select
        -- keys
        event_family,
        event_name,
        ordinal,
        outcome_name,

        {{ effect_columns() }},

        -- times
        {{ as_of_date() }} as as_of_date

    from effects

)

select * from final

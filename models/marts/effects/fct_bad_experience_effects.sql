{{ config(materialized='view') }}

with

effects as (

    select * from {{ ref('fct_effects') }}
    where event_family = 'bad_experience'

),

final as (

    select
        -- keys
        event_name,
        ordinal,
        outcome_name,

        {{ effect_columns() }},

        -- times
        as_of_date

    from effects

)

select * from final

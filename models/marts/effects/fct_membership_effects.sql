{{ config(materialized='view') }}

with

effects as (

    select * from {{ ref('fct_effects') }}
    where
        event_family = 'membership'
        -- Who delivers no memberships asks nothing about them.
        and exists (select 1 from {{ ref('int_membership__spells') }})

),

final as (

    select
        -- keys
        event_name,
        outcome_name,

        {{ effect_columns() }},

        -- times
        as_of_date

    from effects

)

select * from final

{{ config(materialized='view') }}

with

checks as (

    select * from {{ source('night', 'checks') }}

),

final as (

    select
        -- keys
        asset_name,
        check_name,

        -- measures
        failing_rows,

        -- attributes
        check_kind,
        description,
        status,
        severity,

        -- flags
        is_blocking,
        is_of_this_night

    from checks

)

select * from final

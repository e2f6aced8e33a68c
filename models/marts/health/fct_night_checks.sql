{{ config(materialized='view') }}

with

checks as (

    select * from {{ ref('stg_night_checks') }}

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
        description as check_description,
        status,
        severity,

        -- flags
        is_blocking,
        is_of_this_night,

        -- times
        {{ as_of_date() }} as as_of_date

    from checks

)

select * from final

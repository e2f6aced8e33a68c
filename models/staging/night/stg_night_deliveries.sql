{{ config(materialized='view') }}

with

deliveries as (

    select * from {{ source('night', 'deliveries') }}

),

final as (

    select
        -- keys
        batch_id,
        source_table,

        -- measures
        landed_rows,
        problem_rows,
        delivered_columns,
        added_count,
        missing_count,
        unknown_change_count,

        -- attributes
        source_file,
        connector,
        added_columns,
        missing_columns,

        -- flags
        is_first,

        -- times
        loaded_at,
        {{ shop_day('loaded_at') }} as delivery_date

    from deliveries

)

select * from final

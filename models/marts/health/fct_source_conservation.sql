with

sources as (

    select * from {{ ref('int_health__sources') }}

),

final as (

    select
        -- keys
        source_table,

        -- measures
        landed_rows,
        staged_rows,
        superseded_rows,
        quarantined_rows,
        landed_rows - staged_rows - superseded_rows - quarantined_rows as difference_rows,
        deleted_rows,

        -- attributes
        newest_batch_id,

        -- flags
        landed_rows > 0 as is_delivered,

        -- times
        newest_loaded_at,
        newest_row_at,
        {{ as_of_date() }} as as_of_date

    from sources

)

select * from final

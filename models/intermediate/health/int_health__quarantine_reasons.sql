with

quarantined_rows as (

    select
        source_table,
        source_file,
        batch_id,
        row_number,
        loaded_at,
        {{ each_part('reasons', '; ') }} as reason_text
    from {{ ref('quarantine_rows') }}

),

final as (

    select
        source_table,
        -- What follows a colon quotes the delivery, and may be somebody's data.
        split_part(reason_text, ':', 1) as reason,
        source_file,
        cast(count(*) as bigint) as quarantined_rows,
        min(loaded_at) as first_loaded_at,
        max(loaded_at) as last_loaded_at

    from quarantined_rows
    group by 1, 2, 3

)

select * from final

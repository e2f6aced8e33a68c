with

reasons as (

    select * from {{ ref('int_health__quarantine_reasons') }}

),

final as (

    select
        -- keys
        source_table,
        reason,
        source_file,

        -- measures
        quarantined_rows,

        -- times
        first_loaded_at,
        last_loaded_at,
        {{ as_of_date() }} as as_of_date

    from reasons

)

select * from final

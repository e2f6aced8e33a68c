{{ config(materialized='view') }}

with

deliveries as (

    select * from {{ ref('stg_night_deliveries') }}

),

quarantined as (

    select
        batch_id,
        cast(count(*) as bigint) as quarantined_rows
    from {{ ref('quarantine_rows') }}
    group by 1

),

counted as (

    select
        deliveries.*,
        coalesce(quarantined.quarantined_rows, 0) as quarantined_rows,
        deliveries.added_count + deliveries.missing_count + deliveries.unknown_change_count as change_count

    from deliveries
    left join quarantined on deliveries.batch_id = quarantined.batch_id

),

final as (

    select
        -- keys
        source_table,
        delivery_date,

        -- measures
        cast(count(*) as bigint) as delivery_count,
        cast(sum(landed_rows) as bigint) as landed_rows,
        cast(sum(quarantined_rows) as bigint) as quarantined_rows,
        cast(sum(change_count) as bigint) as change_count,
        cast(sum(unknown_change_count) as bigint) as unknown_change_count,
        cast(sum(case when change_count > 0 then landed_rows else 0 end) as bigint) as changed_rows,

        -- attributes
        {{ sorted_words('missing_columns') }} as missing_columns,
        {{ sorted_words('added_columns') }} as added_columns,

        -- flags
        bool_or(not is_first) as has_one_before

    from counted
    group by 1, 2

)

select * from final

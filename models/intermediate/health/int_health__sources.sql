with

landed_batches as (

    select * from {{ ref('stg_landed_batches') }}

),

landed as (

    select
        source_table,
        cast(sum(landed_rows) as bigint) as landed_rows,
        max(batch_id) as newest_batch_id,
        max(loaded_at) as newest_loaded_at
    from landed_batches
    group by 1

),

quarantined as (

    select
        source_table,
        cast(count(*) as bigint) as quarantined_rows
    from {{ ref('quarantine_rows') }}
    group by 1

),

{% for table, happened_at in contract_tables().items() -%}
superseded_{{ table }} as (

    select
        '{{ table }}' as source_table,
        cast(count(*) as bigint) as superseded_rows
    from {{ ref('base_' ~ table) }}
    where _version_rank > 1

),

staged_{{ table }} as (

    select
        '{{ table }}' as source_table,
        cast(count(*) as bigint) as staged_rows,
        cast(count(*) filter (where is_deleted) as bigint) as deleted_rows,
        {% if happened_at -%}
        cast(max(case when not is_deleted then {{ happened_at }} end) as timestamp)
        {%- else -%} cast(null as timestamp)
        {%- endif %} as newest_row_at
    from {{ ref('stg_' ~ table) }} -- tombstones wanted

),

{% endfor -%}
superseded as (

    {% for table in contract_tables() -%}
    select * from superseded_{{ table }} {{ 'union all' if not loop.last }}
    {% endfor %}
),

staged as (

    {% for table in contract_tables() -%}
    select * from staged_{{ table }} {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (

    select
        -- keys
        staged.source_table,

        -- measures
        coalesce(landed.landed_rows, 0) as landed_rows,
        staged.staged_rows,
        superseded.superseded_rows,
        coalesce(quarantined.quarantined_rows, 0) as quarantined_rows,
        staged.deleted_rows,

        -- attributes
        landed.newest_batch_id,

        -- times
        landed.newest_loaded_at,
        staged.newest_row_at

    from staged
    inner join superseded on staged.source_table = superseded.source_table
    left join landed on staged.source_table = landed.source_table
    left join quarantined on staged.source_table = quarantined.source_table

)

select * from final

{{ config(materialized='view') }}

with

{% for table in contract_tables() -%}
landed_{{ table }} as (

    select
        '{{ table }}' as source_table,
        _batch_id as batch_id,
        min(_source) as source_file,
        cast(count(*) as bigint) as landed_rows,
        max(_loaded_at) as loaded_at
    from {{ source('landing', table) }}
    group by 2

),

{% endfor -%}
final as (

    {% for table in contract_tables() -%}
    select * from landed_{{ table }} {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final

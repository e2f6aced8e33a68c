with

sources as (

    select * from {{ ref('int_health__sources') }}

),

needs as (

    {% for mart in marts_and_needs() -%}
    {% set is_last_mart = loop.last -%}
    {% for source_table in mart.needs -%}
    select
        '{{ mart.name }}' as mart_name,
        '{{ mart.group }}' as mart_group,
        '{{ source_table }}' as source_table
    {{ 'union all' if not (is_last_mart and loop.last) }}
    {% endfor %}
    {%- else -%}
    select '' as mart_name, '' as mart_group, '' as source_table where false
    {% endfor %}
),

final as (

    select
        -- keys
        needs.mart_name,

        -- attributes
        needs.mart_group,
        {{ sorted_words('needs.source_table') }} as needed_sources,
        {{ sorted_words('case when coalesce(sources.staged_rows, 0) = 0 then needs.source_table end') }} as missing_sources,

        -- measures
        cast(min(coalesce(sources.staged_rows, 0)) as bigint) as fewest_source_rows,

        -- flags
        min(coalesce(sources.staged_rows, 0)) > 0 as has_data,

        -- times
        {{ as_of_date() }} as as_of_date

    from needs
    left join sources on needs.source_table = sources.source_table
    group by needs.mart_name, needs.mart_group

)

select * from final

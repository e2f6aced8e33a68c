{#- A need may name sources of which one is enough: `reviews or web_events`. -#}
{%- set rows = [] -%}
{%- for mart in marts_and_needs() -%}
    {%- for need in mart.needs -%}
        {%- for source_table in need.split(' or ') -%}
            {%- do rows.append({'mart': mart, 'need': need, 'source_table': source_table}) -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endfor -%}
with

sources as (

    select * from {{ ref('int_health__sources') }}

),

needs as (

    {% for row in rows -%}
    select
        '{{ row.mart.name }}' as mart_name,
        '{{ row.mart.group }}' as mart_group,
        '{{ row.need }}' as need,
        '{{ row.source_table }}' as source_table
    {{ 'union all' if not loop.last }}
    {% else -%}
    select '' as mart_name, '' as mart_group, '' as need, '' as source_table where false
    {% endfor %}
),

counted as (

    select
        needs.mart_name,
        needs.mart_group,
        needs.need,
        max(coalesce(sources.landed_rows, 0)) as landed_rows,
        max(coalesce(sources.staged_rows, 0)) as staged_rows
    from needs
    left join sources on needs.source_table = sources.source_table
    group by needs.mart_name, needs.mart_group, needs.need

),

compared as (

    select
        *,
        min(landed_rows) over (partition by mart_name) as fewest_landed_rows
    from counted

),

final as (

    select
        -- keys
        mart_name,

        -- attributes
        mart_group,
        {{ sorted_words('need') }} as needed_sources,
        -- Return items without their lines are quarantined: it is the lines that the shop does not deliver.
        {{ sorted_words('case when staged_rows = 0 and (landed_rows = 0 or fewest_landed_rows > 0) then need end') }}
            as missing_sources,

        -- measures
        cast(min(staged_rows) as bigint) as fewest_source_rows,

        -- flags
        min(staged_rows) > 0 as has_data,

        -- times
        {{ as_of_date() }} as as_of_date

    from compared
    group by mart_name, mart_group

)

select * from final

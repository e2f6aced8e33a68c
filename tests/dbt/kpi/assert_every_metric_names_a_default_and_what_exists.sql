-- Every metric has a default, and every table and column that the dictionary names is in a contract.
{%- set places = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.access == 'public' -%}
        {%- for column in node.columns -%}{%- do places.append((node.name, column)) -%}{%- endfor -%}
    {%- endfor -%}
{%- endif %}

with

public_columns as (

    {% for table_name, column_name in places -%}
    select '{{ table_name }}' as table_name, '{{ column_name }}' as column_name
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% else -%}
    select cast(null as {{ string_type() }}) as table_name, cast(null as {{ string_type() }}) as column_name
    {% endfor %}
),

metrics as (

    select * from {{ ref('dim_metrics') }}

)

select
    metrics.metric,
    metrics.variant,
    'no column ' || metrics.table_name || '.' || metrics.column_name as problem

from metrics
left join public_columns
    on metrics.table_name = public_columns.table_name
    and metrics.column_name = public_columns.column_name
where metrics.table_name is not null and public_columns.table_name is null
union all
select
    metric,
    cast(null as {{ string_type() }}) as variant,
    'no default' as problem

from metrics
group by 1
having not bool_or(is_default)

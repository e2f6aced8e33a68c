{%- set tables = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.access == 'public' -%}
        {%- do tables.append(node.name) -%}
    {%- endfor -%}
{%- endif -%}
select
    published_benchmarks.benchmark_id,
    comparison.table_name
from {{ ref('published_benchmarks') }} as published_benchmarks
left join {{ ref('fct_benchmark_comparison') }} as comparison
    on published_benchmarks.benchmark_id = comparison.benchmark_id
where
    comparison.benchmark_id is null
    or comparison.table_name not in ('{{ tables | join("', '") }}')

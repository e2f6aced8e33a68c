{%- set tables = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.access == 'public' -%}
        {%- do tables.append(node.name) -%}
    {%- endfor -%}
{%- endif -%}
select
    benchmark_id,
    compared_with

from {{ ref('published_benchmarks') }}
where compared_with is not null and compared_with not in ('{{ tables | join("', '") }}')

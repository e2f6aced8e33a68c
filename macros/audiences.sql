{#- What the audiences share. Their list, the most urgent first, is the variable `audiences` of dbt_project.yml. -#}

{#- The days of an audience's window; none for one that the shop has taken off the list. -#}
{% macro audience_days(name) -%}
{{ return((var('audiences') | selectattr('audience', 'equalto', name) | map(attribute='window_days') | list + [0]) | first) }}
{%- endmacro %}

{#- The list as rows. -#}
{% macro audience_rows() -%}
{% for audience in var('audiences') -%}
    select
        '{{ audience.audience }}' as audience,
        {{ loop.index }} as priority,
        '{{ audience.channel }}' as channel,
        '{{ audience.purpose }}' as purpose,
        {{ audience.window_days }} as window_days,
        {{ holdout_limit(audience.holdout_share) }} as holdout_limit,
        cast({{ "'" ~ audience.offer ~ "'" if audience.offer else 'null' }} as {{ string_type() }}) as offer,
        cast({{ "'" ~ audience.flow_type ~ "'" if audience.flow_type else 'null' }} as {{ string_type() }}) as flow_type,
        {{ 'true' if audience.is_profiled else 'false' }} as is_profiled,
        {{ 'true' if audience.is_transactional else 'false' }} as is_transactional
    {{ 'union all' if not loop.last }}
    {% endfor %}
{%- endmacro %}

{#- One reading of a metric: rows of `relation`, one for each period. A reading without a denominator is its numerator. -#}
{% macro metric_reading(
    metric, variant, unit, relation, period_type, period_start, numerator, denominator=none, age_unit='none', age=0,
    is_mature='true', where=none
) -%}
select
    '{{ metric }}' as metric,
    '{{ variant }}' as variant,
    '{{ unit }}' as unit,
    '{{ period_type }}' as period_type,
    cast({{ period_start }} as date) as period_start,
    '{{ age_unit }}' as age_unit,
    cast({{ age }} as integer) as age,
    cast({{ numerator }} as double) as numerator,
    cast({{ denominator or 'null' }} as double) as denominator,
    {{ 'false' if denominator else 'true' }} as is_plain,
    {{ is_mature }} as is_mature
from {{ relation }}
{%- if where %}
where {{ where }}
{%- endif %}
{%- endmacro %}

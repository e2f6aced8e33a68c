{#- The columns together are the key: no NULL in them, no two rows alike. -#}
{% test unique_combination(model, columns) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1 {%- for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}

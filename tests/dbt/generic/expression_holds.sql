{#- The expression is true, or unknown, on every row. Failing rows come back whole, to be looked at. -#}
{% test expression_holds(model, expression, where=none) %}
select * from {{ model }}
where not ({{ expression }}){% if where %} and ({{ where }}){% endif %}
{% endtest %}

{#- What the cohort models share: the segments a cohort is split by, and the brackets of days. -#}

{#- (segment_type, the column or literal that holds the segment) -#}
{% macro cohort_segments() %}
{{ return([('all', "'all'"), ('first_channel', 'first_channel'), ('country', 'country_code')]) }}
{% endmacro %}

{#- (first day, last day) after the first purchase, both included. -#}
{% macro retention_brackets() %}{{ return([(1, 30), (31, 90), (91, 180), (181, 365)]) }}{% endmacro %}

{#- First day of the bracket that an age in days falls into; NULL on the first purchase's own day and after the last
    bracket. -#}
{% macro bracket_of(age_days) -%}
case
    {% for first_day, last_day in retention_brackets() -%}
    when {{ age_days }} between {{ first_day }} and {{ last_day }} then {{ first_day }}
    {% endfor -%}
end
{%- endmacro %}

{#- Last calendar day of a month given by its first day. -#}
{% macro end_of_month(month) -%} {{ add_days(add_months(month, 1), -1) }} {%- endmacro %}

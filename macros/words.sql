{#- Numbers and days inside a sentence. -#}

{% macro in_words(number) -%} cast({{ number }} as {{ string_type() }}) {%- endmacro %}

{#- A share in whole per cent: 0.25 is 25 %. -#}
{% macro percent_in_words(share) -%}
concat({{ in_words('cast(round(100 * ' ~ share ~ ') as integer)') }}, ' %')
{%- endmacro %}

{% macro day_in_words(day) -%} cast(cast({{ day }} as date) as {{ string_type() }}) {%- endmacro %}

{#- A whole number with the singular or the plural of what it counts. -#}
{% macro count_in_words(number, singular, plural) -%}
{{ in_words(number) }} || case when {{ number }} = 1 then ' {{ singular }}' else ' {{ plural }}' end
{%- endmacro %}

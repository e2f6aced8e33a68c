{#- Numbers inside a sentence. -#}

{% macro in_words(number) -%} cast({{ number }} as {{ string_type() }}) {%- endmacro %}

{#- A share in whole per cent: 0.25 is 25 %. -#}
{% macro percent_in_words(share) -%}
concat({{ in_words('cast(round(100 * ' ~ share ~ ') as integer)') }}, ' %')
{%- endmacro %}

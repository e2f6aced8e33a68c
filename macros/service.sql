{#- What the models about service share. -#}

{#- Days after a promised day, a request or a bad event in which what a customer says is taken to be about it. -#}
{% macro contact_days() %}{{ return(30) }}{% endmacro %}

{#- Hours within which a customer may expect the first answer on a channel, as an SQL expression. -#}
{% macro support_reply_target_hours(channel) -%}
case {{ channel }}
    {% for name, hours in var('support_reply_target_hours').items() -%}
    when '{{ name }}' then {{ hours }}
    {% endfor -%}
    else {{ var('support_reply_limit_hours') }}
end
{%- endmacro %}

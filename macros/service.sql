{#- Hours within which a customer may expect the first answer on a channel, as an SQL expression. -#}
{% macro support_reply_target_hours(channel) -%}
case {{ channel }}
    {% for name, hours in var('support_reply_target_hours').items() -%}
    when '{{ name }}' then {{ hours }}
    {% endfor -%}
    else {{ var('support_reply_limit_hours') }}
end
{%- endmacro %}

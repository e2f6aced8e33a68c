{#- What consent means, in one place. -#}

{#- How restrictive a word is, 1 for the most: of two words that hold at once the first counts. -#}
{% macro consent_rank(status) -%}
case {{ status }}
    when 'complained' then 1
    when 'withdrawn' then 2
    when 'bounced' then 3
    when 'pending' then 4
    when 'granted' then 5
end
{%- endmacro %}

{#- True for the spell that holds at a moment: join int_consents__history or fct_consents by this to ask consent as of
    that moment. A customer without such a spell never agreed. -#}
{% macro holds_at(spells, moment) -%}
({{ spells }}.valid_from <= {{ moment }} and coalesce({{ moment }} < {{ spells }}.valid_to, true))
{%- endmacro %}

{#- The channels that a customer can be written to by. -#}
{% macro consent_channels() %}{{ return(['email', 'sms', 'push', 'phone', 'post', 'ads']) }}{% endmacro %}

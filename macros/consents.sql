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

{#- The channels that a customer can be written to by, and what their data may be used for. -#}
{% macro consent_channels() %}{{ return(['email', 'sms', 'push', 'phone', 'post', 'ads']) }}{% endmacro %}
{% macro consent_purposes() %}{{ return(['marketing', 'profiling', 'third_party_sharing']) }}{% endmacro %}

{#- True where a request about one's own data ends a consent. Whoever wants to be erased or left alone has taken back
    everything; an objection to marketing reaches the profiles made for it (GDPR, article 21); a sale that is forbidden
    (CCPA) is a handing on to third parties, and so is an audience that an advertiser is given. -#}
{% macro request_ends_consent(request_type, channel, purpose) -%}
case {{ request_type }}
    when 'erasure' then true
    when 'restrict' then true
    when 'opt_out_marketing' then {{ purpose }} in ('marketing', 'profiling')
    when 'opt_out_sale' then {{ purpose }} = 'third_party_sharing' or {{ channel }} = 'ads'
    else false
end
{%- endmacro %}

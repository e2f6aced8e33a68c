{#- One spelling of an e-mail address, hashed; NULL where it is no address. -#}
{% macro email_key(email) -%}
case when {{ email }} like '%_@_%' then md5(lower(trim({{ email }}))) end
{%- endmacro %}

{#- The account as delivered; a guest without an account is known by the address alone. -#}
{% macro source_customer_id(customer_id, email) -%}
coalesce({{ customer_id }}, 'guest:' || {{ email_key(email) }})
{%- endmacro %}

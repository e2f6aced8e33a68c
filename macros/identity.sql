{#- One spelling of an e-mail address, hashed; NULL where it is no address. What follows a plus sign is a label that the
    owner put on the same mailbox. -#}
{% macro email_key(email) -%}
{%- set address = 'lower(trim(' ~ email ~ '))' -%}
case
    when {{ address }} like '_%+%@_%' then md5(regexp_replace({{ address }}, '[+][^@]*@', '@'))
    when {{ address }} like '_%@_%' then md5({{ address }})
end
{%- endmacro %}

{#- One spelling of a person's name, hashed; NULL where there is none. -#}
{% macro name_key(first_name, last_name) -%}
case when coalesce({{ first_name }}, {{ last_name }}) is not null
    then md5(concat_ws('|', lower(trim(coalesce({{ first_name }}, ''))), lower(trim(coalesce({{ last_name }}, '')))))
end
{%- endmacro %}

{#- The account as delivered; a guest without an account is known by the address alone. -#}
{% macro source_customer_id(customer_id, email) -%}
coalesce({{ customer_id }}, 'guest:' || {{ email_key(email) }})
{%- endmacro %}

{#- One spelling of an e-mail address, hashed; NULL where it is no address. What follows a plus sign is a label that the
    owner put on the same mailbox. Hashed twice, so that an address and a delivered SHA-256 of one have the same key. -#}
{% macro email_key(email) -%}
{%- set address = 'lower(trim(' ~ email ~ '))' -%}
case
    when {{ address }} like '_%+%@_%' then {{ email_hash_key(sha256("regexp_replace(" ~ address ~ ", '[+][^@]*@', '@')")) }}
    when {{ address }} like '_%@_%' then {{ email_hash_key(sha256(address)) }}
end
{%- endmacro %}

{#- The same key, from an address that another system delivered as SHA-256. -#}
{% macro email_hash_key(hashed_address) -%} md5(lower(trim({{ hashed_address }}))) {%- endmacro %}

{#- One spelling of a telephone number, its digits; NULL where they are too few for one. -#}
{% macro phone_digits(phone) -%}
{%- set digits = "translate(" ~ phone ~ ", ' +-./()', '')" -%}
case
    when not {{ matches(digits, '^[0-9]{7,15}$') }} then null
    when {{ digits }} like '00%' then substring({{ digits }}, 3)
    else {{ digits }}
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

{#- What may link two accounts, the surest first: rule, how sure, the identifiers that it reads, and how many names a value
    may stand under (0: the rule is off). -#}
{% macro identity_rules() %}
{{ return([
    {'rule': 'shared_loyalty_id', 'confidence': 'issued', 'id_types': ['loyalty_id'],
     'limit': var('identity_loyalty_id_max_accounts')},
    {'rule': 'shared_membership_id', 'confidence': 'issued', 'id_types': ['membership_id'],
     'limit': var('identity_membership_id_max_accounts')},
    {'rule': 'shared_email', 'confidence': 'strong', 'id_types': ['email_sha256'],
     'limit': var('identity_email_max_accounts')},
    {'rule': 'shared_marketplace_id', 'confidence': 'strong', 'id_types': ['marketplace_id'],
     'limit': var('identity_marketplace_id_max_accounts')},
    {'rule': 'shared_phone', 'confidence': 'likely', 'id_types': ['phone'],
     'limit': var('identity_phone_max_accounts')},
    {'rule': 'shared_device', 'confidence': 'weak', 'id_types': ['device_id', 'anonymous_id'],
     'limit': var('identity_device_max_accounts')},
]) }}
{% endmacro %}

{#- One property of the rule that a column names. -#}
{% macro of_identity_rule(rule_column, property) -%}
case {{ rule_column }}
    {% for rule in identity_rules() -%}
    when '{{ rule.rule }}' then {{ "'" ~ rule[property] ~ "'" if rule[property] is string else rule[property] }}
    {% endfor -%}
end
{%- endmacro %}

{#- Place of a rule among the rules, 1 for the surest, and the rule at a place. -#}
{% macro identity_rule_rank(rule_column) -%}
case {{ rule_column }} {%- for rule in identity_rules() %} when '{{ rule.rule }}' then {{ loop.index }}{% endfor %} end
{%- endmacro %}

{% macro identity_rule_of_rank(rank_column) -%}
case {{ rank_column }} {%- for rule in identity_rules() %} when {{ loop.index }} then '{{ rule.rule }}'{% endfor %} end
{%- endmacro %}

{#- Hops that a chain of accounts and shared values may have; a data test fails where a chain is longer. -#}
{% macro identity_rounds() %}{{ return(6) }}{% endmacro %}

{#- What a node (an account or a value) hears, by the moment: true where the account heard of is older than all before. -#}
{% macro is_older_than_all_before(node) -%}
label < coalesce(
        min(label) over (
            partition by {{ node }}
            order by since asc nulls first, label asc nulls last
            rows between unbounded preceding and 1 preceding
        ),
        label + 1
    )
{%- endmacro %}

{#- Draws that last: who is kept out of messages, so that what they add can be measured. -#}

{#- The customer's lot in a draw: eight hexadecimal digits, the same every night and on every engine, and in each scope
    another one. A scope is an audience, an action, or `everything`. -#}
{% macro holdout_lot(scope, customer_id) -%}
substr(md5(concat_ws('|', '{{ var("holdout_salt") }}', {{ scope }}, {{ customer_id }})), 1, 8)
{%- endmacro %}

{#- Lots below this are held out: digits sort as the numbers that they write. Nothing sorts below the eight zeros of an
    empty share, and every lot below the g of a whole one. -#}
{% macro holdout_limit(share) -%}
'{{ "g" if share >= 1 else "%08x" % ((share * 2 ** 32) | round | int) }}'
{%- endmacro %}

{#- True for the customers that a share of a scope keeps out. The scope is an expression: write a name in quotes. -#}
{% macro is_held_out(scope, share, customer_id) -%}
({{ holdout_lot(scope, customer_id) }} < {{ holdout_limit(share) }})
{%- endmacro %}

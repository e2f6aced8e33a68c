{#- What must be true of every single row, in one pass over the table: columns that are never NULL, values that a column may
    have, and rules ({name, holds, where}) that are true, or unknown, on every row. Failing rows come back whole behind the
    names of the rules that they break; a rule without a name is called by its words. -#}
{% test rules_hold(model, never_null=[], accepted={}, rules=[]) %}
{%- set broken = [] -%}
{%- for column in never_null -%}
    {%- do broken.append((column ~ ' is null', column ~ ' is null')) -%}
{%- endfor -%}
{%- for column, values in accepted.items() -%}
    {%- do broken.append((column ~ " not in ('" ~ values | join("', '") ~ "')", column ~ ' is not accepted')) -%}
{%- endfor -%}
{%- for rule in rules -%}
    {%- set condition = 'not (' ~ rule.holds ~ ')' ~ (' and (' ~ rule.where ~ ')' if rule.where else '') -%}
    {%- do broken.append((condition, rule.name or rule.holds)) -%}
{%- endfor -%}
{%- if not broken -%}
    {%- do exceptions.raise_compiler_error('rules_hold on ' ~ model ~ ' names no rule, so it could never fail') -%}
{%- endif -%}
select
    concat_ws('; '
    {%- for condition, name in broken %},
        case when {{ condition }} then '{{ name | replace("'", "''") }}' end
    {%- endfor %}) as broken_rules,
    tested.*
from {{ model }} as tested
where
    {% for condition, name in broken -%}
    ({{ condition }}){{ '\n    or ' if not loop.last }}
    {%- endfor %}
{% endtest %}

{#- Text as delivered -> typed value, NULL where the text cannot be read as that type. -#}

{% macro as_text(column) -%} nullif(trim({{ column }}), '') {%- endmacro %}

{#- A decimal comma and thousands separators are read where they leave no doubt; more than two decimals are rounded. -#}
{% macro as_money(column) -%}
coalesce(
    try_cast({{ column }} as decimal(18, 2)),
    case
        when {{ matches(column, '^-?[0-9]{1,3}([.][0-9]{3})*,[0-9]{1,2}$') }} or {{ matches(column, '^-?[0-9]+,[0-9]{1,2}$') }}
            then try_cast(replace(replace({{ column }}, '.', ''), ',', '.') as decimal(18, 2))
        when {{ matches(column, '^-?[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?$') }}
            then try_cast(replace({{ column }}, ',', '') as decimal(18, 2))
    end
)
{%- endmacro %}

{#- 3.0 is a whole number and 2.5 is none: a plain cast would round it, differently on each engine. -#}
{% macro as_integer(column) -%}
case
    when {{ column }} like '%.%' then
        case when try_cast({{ column }} as double) = floor(try_cast({{ column }} as double))
            then cast(floor(try_cast({{ column }} as double)) as integer) end
    else try_cast({{ column }} as integer)
end
{%- endmacro %}

{% macro as_double(column) -%}
coalesce(
    try_cast({{ column }} as double),
    case when {{ matches(column, '^-?[0-9]+,[0-9]+$') }} then try_cast(replace({{ column }}, ',', '.') as double) end
)
{%- endmacro %}

{% macro as_boolean(column) -%}
case
    when lower(trim({{ column }})) in ('true', 't', 'yes', 'y', '1', '1.0') then true
    when lower(trim({{ column }})) in ('false', 'f', 'no', 'n', '0', '0.0') then false
end
{%- endmacro %}

{#- UTC. ISO first, as nearly every file has it; then the file's own order of day and month; a time without an offset is
    in the zone that the delivery names. -#}
{% macro as_timestamp(column) -%}
case
    when {{ column }} is null then null
    when {{ matches(column, '([+-][0-9]{2}:?[0-9]{2}|Z)$') }} and {{ matches(column, '[0-9]:[0-9]') }} then {{ offset_text_to_utc(column) }}
    when _timezone = 'UTC' then {{ naive_timestamp(column) }}
    else {{ to_utc(naive_timestamp(column), '_timezone') }}
end
{%- endmacro %}

{% macro naive_timestamp(column) -%}
coalesce(
    case when {{ matches(column, '^[0-9]{4}-') }} then try_cast({{ column }} as timestamp) end,
    case
        when {{ matches(column, '^[0-9]{4}[/.-]') }} then {{ parse_timestamp(column, 'ymd') }}
        when _date_order = 'mdy' then {{ parse_timestamp(column, 'mdy') }}
        else {{ parse_timestamp(column, 'dmy') }}
    end
)
{%- endmacro %}

{% macro as_date(column) -%} cast({{ naive_timestamp(column) }} as date) {%- endmacro %}

{#- The typed expression for a column of the contract. -#}
{% macro typed(column, data_type) -%}
{%- if data_type == 'varchar' -%} {{ as_text(column) }}
{%- elif data_type == 'integer' -%} {{ as_integer(column) }}
{%- elif data_type == 'double' -%} {{ as_double(column) }}
{%- elif data_type == 'decimal(18,2)' -%} {{ as_money(column) }}
{%- elif data_type == 'boolean' -%} {{ as_boolean(column) }}
{%- elif data_type == 'timestamp' -%} {{ as_timestamp(column) }}
{%- elif data_type == 'date' -%} {{ as_date(column) }}
{%- else -%} {{ exceptions.raise_compiler_error('The contract names the unknown type ' ~ data_type ~ ' for ' ~ column) }}
{%- endif -%}
{%- endmacro %}

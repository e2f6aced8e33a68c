{#- Text as delivered -> typed value, NULL where the text cannot be read as that type. All but as_text take trimmed text. -#}

{% macro as_text(column) -%} nullif(trim({{ column }}), '') {%- endmacro %}

{#- From here on a number is no amount: times the largest rate it would not fit its type, and one slipped digit or column
    would end the night instead of one row. -#}
{% macro as_money(column) -%}
case when abs({{ money_or_null(column) }}) < 100000000000 then {{ money_or_null(column) }} end
{%- endmacro %}

{#- A decimal comma and thousands separators are read where they leave no doubt; more than two decimals are rounded. -#}
{% macro money_or_null(column) -%}
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
case when {{ matches(column, '^[+-]?[0-9]+([.]0*)?$') }} then try_cast(split_part({{ column }}, '.', 1) as integer) end
{%- endmacro %}

{#- NaN and infinity are words for "no number": they would break every sum that they enter. -#}
{% macro as_double(column) -%}
case when abs({{ double_or_null(column) }}) < 1e300 then {{ double_or_null(column) }} end
{%- endmacro %}

{% macro double_or_null(column) -%}
coalesce(
    try_cast({{ column }} as double),
    case when {{ matches(column, '^-?[0-9]+,[0-9]+$') }} then try_cast(replace({{ column }}, ',', '.') as double) end
)
{%- endmacro %}

{% macro as_boolean(column) -%}
case
    when lower({{ column }}) in ('true', 't', 'yes', 'y', '1', '1.0') then true
    when lower({{ column }}) in ('false', 'f', 'no', 'n', '0', '0.0') then false
end
{%- endmacro %}

{#- UTC. A time with an offset is clear by itself; one without is in the zone that the delivery names. -#}
{% macro as_timestamp(column) -%}
case
    when {{ matches(column, '[0-9]:[0-9]{2}([.][0-9]+)? ?([+-][0-9]{2}(:?[0-9]{2})?|Z|UTC|GMT)$') }}
        then {{ offset_text_to_utc(column) }}
    when _timezone = 'UTC' then {{ naive_timestamp(column) }}
    else {{ to_utc(naive_timestamp(column), '_timezone') }}
end
{%- endmacro %}

{#- ISO first, as nearly every file has it; then the file's own order of day and month. A text that goes on after the time
    is not read: a cast would drop its end without a word. -#}
{% macro naive_timestamp(column) -%}
case
    when {{ matches(column, '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([T ][0-9:.]*)?$') }} then try_cast({{ column }} as timestamp)
    when {{ matches(column, '^[0-9]{4}[/.-]') }} then {{ parse_timestamp(column, 'ymd') }}
    -- A parser may know words, such as infinity, that are no time of a shop.
    when {{ matches(column, '^[^0-9]') }} then null
    when _date_order = 'mdy' then {{ parse_timestamp(column, 'mdy') }}
    else {{ parse_timestamp(column, 'dmy') }}
end
{%- endmacro %}

{#- The day as written: a time beside it, with or without an offset, does not move it. -#}
{% macro as_date(column) -%}
case
    when {{ matches(column, '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}T') }}
        then try_cast(split_part({{ column }}, 'T', 1) as date)
    when {{ matches(column, '^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( |$)') }}
        then try_cast(split_part({{ column }}, ' ', 1) as date)
    else cast({{ naive_timestamp(column) }} as date)
end
{%- endmacro %}

{#- A value that was delivered in its own type. What text could not say is no value either: a day or time beyond the four
    digits of a year, NaN and infinity. -#}
{% macro as_delivered(column, data_type) -%}
{%- if data_type == 'timestamp' -%}
case
    when {{ column }} between timestamp '0001-01-01 00:00:00' and timestamp '9999-12-31 23:59:59.999999'
        then case when _timezone = 'UTC' then {{ column }} else {{ to_utc(column, '_timezone') }} end
end
{%- elif data_type == 'date' -%}
case when {{ column }} between cast('0001-01-01' as date) and cast('9999-12-31' as date) then {{ column }} end
{%- elif data_type == 'double' -%} case when abs({{ column }}) < 1e300 then {{ column }} end
{%- else -%} {{ column }}
{%- endif -%}
{%- endmacro %}

{#- The typed expression for a column of the contract: trimmed text, or a value in its own type (`is_native`). -#}
{% macro typed(column, data_type, is_native=false) -%}
{%- if is_native -%} {{ as_delivered(column, data_type) }}
{%- elif data_type == 'varchar' -%} {{ column }}
{%- elif data_type == 'integer' -%} {{ as_integer(column) }}
{%- elif data_type == 'double' -%} {{ as_double(column) }}
{%- elif data_type == 'decimal(18,2)' -%} {{ as_money(column) }}
{%- elif data_type == 'boolean' -%} {{ as_boolean(column) }}
{%- elif data_type == 'timestamp' -%} {{ as_timestamp(column) }}
{%- elif data_type == 'date' -%} {{ as_date(column) }}
{%- else -%} {{ exceptions.raise_compiler_error('The contract names the unknown type ' ~ data_type ~ ' for ' ~ column) }}
{%- endif -%}
{%- endmacro %}

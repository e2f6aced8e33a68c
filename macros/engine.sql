{#- Differences between engines live in this file alone. DuckDB is the default; the spark__ twin stands beside each macro. -#}

{% macro string_type() %}{{ return(adapter.dispatch('string_type')()) }}{% endmacro %}
{% macro default__string_type() %}varchar{% endmacro %}
{% macro spark__string_type() %}string{% endmacro %}

{% macro days_between(first_day, last_day) %}{{ return(adapter.dispatch('days_between')(first_day, last_day)) }}{% endmacro %}
{% macro default__days_between(first_day, last_day) %}cast(date_diff('day', cast({{ first_day }} as date), cast({{ last_day }} as date)) as integer){% endmacro %}
{% macro spark__days_between(first_day, last_day) %}datediff(cast({{ last_day }} as date), cast({{ first_day }} as date)){% endmacro %}

{#- Calendar months, by month numbers: native month differences disagree between engines. -#}
{% macro months_between(first_day, last_day) -%}
cast((extract(year from {{ last_day }}) - extract(year from {{ first_day }})) * 12
    + extract(month from {{ last_day }}) - extract(month from {{ first_day }}) as integer)
{%- endmacro %}

{% macro month_of(day) -%} cast(date_trunc('month', {{ day }}) as date) {%- endmacro %}

{% macro add_days(day, days) %}{{ return(adapter.dispatch('add_days')(day, days)) }}{% endmacro %}
{% macro default__add_days(day, days) %}cast(cast({{ day }} as date) + cast({{ days }} as integer) as date){% endmacro %}
{% macro spark__add_days(day, days) %}date_add(cast({{ day }} as date), cast({{ days }} as integer)){% endmacro %}

{% macro add_months(day, months) %}{{ return(adapter.dispatch('add_months')(day, months)) }}{% endmacro %}
{% macro default__add_months(day, months) %}cast(cast({{ day }} as date) + to_months(cast({{ months }} as integer)) as date){% endmacro %}
{% macro spark__add_months(day, months) %}add_months(cast({{ day }} as date), cast({{ months }} as integer)){% endmacro %}

{#- Shop-local day of a UTC timestamp. The only place where the shop's time zone is applied. -#}
{% macro shop_day(utc_timestamp) %}{{ return(adapter.dispatch('shop_day')(utc_timestamp)) }}{% endmacro %}
{% macro default__shop_day(utc_timestamp) %}cast(timezone('{{ var("shop_timezone") }}', timezone('UTC', {{ utc_timestamp }})) as date){% endmacro %}
{% macro spark__shop_day(utc_timestamp) %}cast(from_utc_timestamp({{ utc_timestamp }}, '{{ var("shop_timezone") }}') as date){% endmacro %}

{#- ISO day of the week, Monday = 1 to Sunday = 7. -#}
{% macro day_of_week(day) %}{{ return(adapter.dispatch('day_of_week')(day)) }}{% endmacro %}
{% macro default__day_of_week(day) %}cast(isodow({{ day }}) as integer){% endmacro %}
{% macro spark__day_of_week(day) %}(weekday({{ day }}) + 1){% endmacro %}

{% macro seconds_between(first, last) %}{{ return(adapter.dispatch('seconds_between')(first, last)) }}{% endmacro %}
{% macro default__seconds_between(first, last) %}cast(epoch({{ last }}) - epoch({{ first }}) as double){% endmacro %}
{% macro spark__seconds_between(first, last) %}cast(unix_timestamp({{ last }}) - unix_timestamp({{ first }}) as double){% endmacro %}

{% macro matches(text, pattern) %}{{ return(adapter.dispatch('matches')(text, pattern)) }}{% endmacro %}
{% macro default__matches(text, pattern) %}regexp_matches({{ text }}, '{{ pattern }}'){% endmacro %}
{% macro spark__matches(text, pattern) %}({{ text }} rlike '{{ pattern }}'){% endmacro %}

{#- Hexadecimal digits, small letters. -#}
{% macro sha256(text) %}{{ return(adapter.dispatch('sha256')(text)) }}{% endmacro %}
{% macro default__sha256(text) %}sha256({{ text }}){% endmacro %}
{% macro spark__sha256(text) %}sha2({{ text }}, 256){% endmacro %}

{#- One row per whole number from 0 to below `count`, as column `n`. -#}
{% macro numbers(count) %}{{ return(adapter.dispatch('numbers')(count)) }}{% endmacro %}
{% macro default__numbers(count) %}(select cast(range as integer) as n from range({{ count }})){% endmacro %}
{% macro spark__numbers(count) %}(select cast(id as integer) as n from range({{ count }})){% endmacro %}

{#- Naive text in the given order of year, month and day. A year of two digits has its own patterns, since the pattern for
    four would read 25 as the year 25. -#}
{% macro parse_timestamp(text, order) %}{{ return(adapter.dispatch('parse_timestamp')(text, order)) }}{% endmacro %}
{% macro default__parse_timestamp(text, order) -%}
    {%- set long = {'dmy': '%d/%m/%Y', 'mdy': '%m/%d/%Y', 'ymd': '%Y/%m/%d'}[order] -%}
    {%- set short = {'dmy': '%d/%m/%y', 'mdy': '%m/%d/%y'}.get(order) -%}
    {%- if short -%}
    case
        when {{ matches(text, '^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2}([T ]|$)') }}
            then {{ strptime_with_time(text, short) }}
        else {{ strptime_with_time(text, long) }}
    end
    {%- else -%} {{ strptime_with_time(text, long) }}
    {%- endif -%}
{%- endmacro %}
{% macro strptime_with_time(text, day) -%}
    try_strptime(translate({{ text }}, '.-T', '// '), [
        '{{ day }} %H:%M:%S', '{{ day }} %H:%M', '{{ day }}', '{{ day }} %I:%M:%S %p', '{{ day }} %I:%M %p'])
{%- endmacro %}
{% macro spark__parse_timestamp(text, order) -%}
    {%- set days = {'dmy': ['d/M/yyyy', 'd/M/yy'], 'mdy': ['M/d/yyyy', 'M/d/yy'], 'ymd': ['yyyy/M/d']}[order] -%}
    coalesce(
    {%- for day in days %}{% set last_day = loop.last %}
    {%- for time in [' H:mm:ss', ' H:mm', '', ' h:mm:ss a', ' h:mm a'] %}
        try_to_timestamp(translate({{ text }}, '.-T', '// '), '{{ day }}{{ time }}'){{ ',' if not (last_day and loop.last) }}
    {%- endfor %}{% endfor %})
{%- endmacro %}

{#- Naive timestamp of a zone -> UTC, and ISO text with an offset -> UTC. -#}
{% macro to_utc(naive_timestamp, zone) %}{{ return(adapter.dispatch('to_utc')(naive_timestamp, zone)) }}{% endmacro %}
{% macro default__to_utc(naive_timestamp, zone) %}timezone('UTC', timezone({{ zone }}, {{ naive_timestamp }})){% endmacro %}
{% macro spark__to_utc(naive_timestamp, zone) %}to_utc_timestamp({{ naive_timestamp }}, {{ zone }}){% endmacro %}

{#- DuckDB's cast of '...+02:00' to a plain timestamp drops the offset without a word, hence the detour by timestamptz. -#}
{% macro offset_text_to_utc(text) %}{{ return(adapter.dispatch('offset_text_to_utc')(text)) }}{% endmacro %}
{% macro default__offset_text_to_utc(text) %}timezone('UTC', try_cast(replace(replace({{ text }}, ' +', '+'), ' -', '-') as timestamptz)){% endmacro %}
{% macro spark__offset_text_to_utc(text) %}try_cast({{ text }} as timestamp){% endmacro %}

{#- How a model that grows by delivery is stored: Spark's plain Parquet tables know no delete, so there it is rebuilt. -#}
{% macro grows_by_delivery() %}{{ return('incremental' if target.type == 'duckdb' else 'table') }}{% endmacro %}

{#- One row per part of a text, in the select list. -#}
{% macro each_part(text, separator) %}{{ return(adapter.dispatch('each_part')(text, separator)) }}{% endmacro %}
{% macro default__each_part(text, separator) %}unnest(string_split({{ text }}, '{{ separator }}')){% endmacro %}
{% macro spark__each_part(text, separator) %}explode(split({{ text }}, '{{ separator }}')){% endmacro %}

{#- The words of a group in alphabetical order, with commas; NULL where there are none. -#}
{% macro sorted_words(word) %}{{ return(adapter.dispatch('sorted_words')(word)) }}{% endmacro %}
{% macro default__sorted_words(word) %}string_agg({{ word }}, ', ' order by {{ word }}){% endmacro %}
{% macro spark__sorted_words(word) %}nullif(array_join(array_sort(collect_list({{ word }})), ', '), ''){% endmacro %}

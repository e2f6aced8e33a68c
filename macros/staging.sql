{#- From a delivery to a staged table, driven by the source contract (models/staging/*/_*__sources.yml):
    base_<table>  every landed row, typed, judged and ranked among the versions of its key: one physical copy;
    stg_<table>   the newest valid version of each key whose parents are there: a view on it. -#}

{% macro contract(table) %}
    {%- set source_node = namespace(found=none) -%}
    {%- for node in graph.sources.values() if node.source_name == 'landing' and node.name == table -%}
        {%- set source_node.found = node -%}
    {%- endfor -%}
    {{ return(source_node.found) }}
{% endmacro %}

{% macro contract_meta(node) %}{{ return(node.config.meta if node.config and node.config.meta else node.meta) }}{% endmacro %}

{#- A rule of the contract with the shop's currency filled in. -#}
{% macro rule_sql(rule) %}{{ return(rule.holds | replace('__shop_currency__', var('shop_currency'))) }}{% endmacro %}

{% macro sentence(name) %}{{ return(name | replace('_', ' ')) }}{% endmacro %}

{% macro type_in_words(data_type) -%}
{{ return({'integer': 'a whole number', 'double': 'a number', 'decimal(18,2)': 'an amount', 'boolean': 'true or false',
    'timestamp': 'a time', 'date': 'a day', 'varchar': 'text'}[data_type]) }}
{%- endmacro %}

{#- The key as one text, NULL where its first column is missing. -#}
{% macro row_key(columns) -%}
{%- if columns | length == 1 -%} {{ columns[0] }}
{%- else -%} case when {{ columns[0] }} is not null then concat_ws('|'
{%- for column in columns %}, coalesce(cast({{ column }} as {{ string_type() }}), ''){% endfor %}) end
{%- endif -%}
{%- endmacro %}

{% macro delivered_and_judged(table) %}
{%- if execute -%}
{%- set node = contract(table) -%}
{%- set meta = contract_meta(node) -%}
{%- set columns = node.columns.values() | list -%}

with

delivered as (

    select * from {{ source('landing', table) }}
    {% if is_incremental() %}
    -- Batches sort by arrival and every landed row is kept, so the newest kept batch is the high-water mark.
    where _batch_id > (select coalesce(max(_batch_id), '') from {{ this }})
    {% endif %}

),

typed as (

    select
        {% for column in columns -%}
        {{ typed('delivered.' ~ column.name, column.data_type) }} as {{ column.name }},
        {% endfor -%}
        delivered._source,
        delivered._batch_id,
        delivered._row_number,
        delivered._loaded_at,
        delivered._is_deleted as is_deleted,
        delivered._problem,
        delivered._raw,
        -- what could not be read as its type, by column
        {% for column in columns if column.data_type != 'varchar' -%}
        {{ typed('delivered.' ~ column.name, column.data_type) }} is null
            and {{ as_text('delivered.' ~ column.name) }} is not null as _unreadable_{{ column.name }},
        {% endfor -%}
        -- as delivered, for the quarantine
        {% for column in columns -%}
        delivered.{{ column.name }} as _delivered_{{ column.name }}{{ ',' if not loop.last }}
        {% endfor %}
    from delivered

),

{%- set problems = ['_problem'] -%}
{%- set conditions = ['_problem is not null'] -%}
{%- for column in columns -%}
    {%- set rules = column.config.meta if column.config and column.config.meta else column.meta -%}
    {%- if column.data_type != 'varchar' -%}
        {%- do conditions.append('_unreadable_' ~ column.name) -%}
        {%- do problems.append("case when _unreadable_" ~ column.name ~ " then '" ~ column.name ~ " is not " ~ type_in_words(column.data_type) ~ "' end") -%}
    {%- endif -%}
    {%- if rules.get('required') -%}
        {#- A deletion needs to say what is deleted, and nothing more. -#}
        {%- set missing = column.name ~ ' is null' ~ (" and not _unreadable_" ~ column.name if column.data_type != 'varchar' else '') ~ ('' if column.name in meta.key else ' and not is_deleted') ~ ' and _problem is null' -%}
        {%- do conditions.append('(' ~ missing ~ ')') -%}
        {%- do problems.append("case when " ~ missing ~ " then '" ~ column.name ~ " is missing' end") -%}
    {%- endif -%}
    {%- if rules.get('accepted') -%}
        {%- set unknown = "lower(" ~ column.name ~ ") not in ('" ~ rules.accepted | join("', '") ~ "')" -%}
        {%- do conditions.append(unknown) -%}
        {%- do problems.append("case when " ~ unknown ~ " then '" ~ column.name ~ " is not an accepted value' end") -%}
    {%- endif -%}
    {%- if rules.get('at_least') is not none -%}
        {%- set below = column.name ~ ' < ' ~ rules.at_least -%}
        {%- do conditions.append(below) -%}
        {%- do problems.append("case when " ~ below ~ " then '" ~ column.name ~ " is below " ~ rules.at_least ~ "' end") -%}
    {%- endif -%}
{%- endfor -%}
{%- for rule in meta.get('rules', []) -%}
    {%- set broken = 'not (' ~ rule_sql(rule) ~ ')' -%}
    {%- do conditions.append(broken) -%}
    {%- do problems.append("case when " ~ broken ~ " then '" ~ sentence(rule.name) ~ " does not hold' end") -%}
{%- endfor -%}
{#- A replacement character says that the bytes were already lost before they reached the shop's file. -#}
{%- set texts = columns | selectattr('data_type', 'equalto', 'varchar') | map(attribute='name') | list -%}

judged as (

    select
        {% for column in columns -%}
        {% set rules = column.config.meta if column.config and column.config.meta else column.meta -%}
        {% if rules.get('accepted') %}lower({{ column.name }}) as {{ column.name }}{% else %}{{ column.name }}{% endif %},
        {% endfor -%}
        _source,
        _batch_id,
        _row_number,
        _loaded_at,
        coalesce(is_deleted, false) as is_deleted,
        {{ row_key(meta.key) }} as _key,
        {% if meta.get('version') -%}
        -- A deletion that names no version counts from its delivery.
        coalesce({{ meta.version }}, case when is_deleted then _loaded_at end)
        {%- else -%} cast(null as timestamp) {%- endif %} as _version_at,
        -- The words are put together only for the few rows that need them.
        case
            when {{ conditions | join('\n                or ') }}
                then concat_ws('; '
                {%- for problem in problems %},
                    {{ problem }}
                {%- endfor %})
        end as _problems,
        case
            when {{ conditions | join('\n                or ') }}
                then coalesce(_raw, concat_ws(', '
                {%- for column in columns %},
                    '{{ column.name }}=' || _delivered_{{ column.name }}
                {%- endfor %}))
        end as _raw_text

    from typed

),

{% if is_incremental() %}
touched_keys as (

    select distinct _key from judged where _key is not null

),

versions as (

    select * from judged
    union all
    select {% for column in columns %}kept.{{ column.name }}, {% endfor %}
        kept._source, kept._batch_id, kept._row_number, kept._loaded_at, kept.is_deleted, kept._key,
        kept._version_at, kept._problems, kept._raw_text
    from {{ this }} as kept
    inner join touched_keys on kept._key = touched_keys._key

),
{% else %}
versions as (

    select * from judged

),
{% endif %}

final as (

    select
        *,
        case when _problems is null then
            cast(row_number() over (
                partition by _key, _problems is null
                order by _version_at desc nulls last, _batch_id desc nulls last, _row_number desc nulls last
            ) as bigint)
        end as _version_rank

    from versions

)

select * from final
{%- endif -%}
{% endmacro %}

{#- Newest valid version of each key, with what is wrong between it and its parents (`_link_problems`). A deleted parent
    is a parent: the lines of a deleted order are no defect, their readers drop them with the order. The parents' staging models must be named in the calling model, so that dbt sees the edge: `parents` maps table -> relation. -#}
{% macro newest_and_linked(table, base, parents) %}
{%- if execute -%}
{%- set node = contract(table) -%}
{%- set meta = contract_meta(node) -%}
    select
        child.*,
        {%- if meta.get('parents') %}
        nullif(concat_ws('; '
        {%- for parent in meta.parents %},
            case when parent_{{ loop.index }}.{{ contract_meta(contract(parent.table)).key[0] }} is null
                and child.{{ parent.column }} is not null and not child.is_deleted
                then '{{ parent.column }} has no row in {{ parent.table }}' end
            {%- set alias = 'parent_' ~ loop.index ~ '.' %}
            {%- for rule in parent.get('rules', []) %},
            case when not child.is_deleted and not ({{ rule_sql(rule) | replace('parent.', alias) }})
                then '{{ sentence(rule.name) }} does not hold' end
            {%- endfor %}
        {%- endfor %}), '') as _link_problems
        {%- else %}
        cast(null as {{ string_type() }}) as _link_problems
        {%- endif %}
    from {{ base }} as child
    {%- for parent in meta.get('parents', []) %}
    left join {{ parents[parent.table] }} as parent_{{ loop.index }}
        on child.{{ parent.column }} = parent_{{ loop.index }}.{{ contract_meta(contract(parent.table)).key[0] }}
    {%- endfor %}
    where child._version_rank = 1
{%- endif -%}
{% endmacro %}

{#- The body of a stg_ model: the contract's columns of the rows that are linked. -#}
{% macro staged(table, base, parents={}) %}
{%- if execute %}
with

newest as (

    {{ newest_and_linked(table, base, parents) }}

),

final as (

    select
        {% for column in contract(table).columns.values() -%}
        {{ column.name }},
        {% endfor -%}
        is_deleted,
        _source,
        _batch_id,
        _row_number,
        _loaded_at

    from newest
    where _link_problems is null

)

select * from final
{%- endif -%}
{% endmacro %}

{#- A staged row as text, for rows that turn out to be orphans after they were typed. -#}
{% macro row_in_words(table) -%}
{%- if execute -%}
concat_ws(', '
{%- for column in contract(table).columns %}, '{{ column }}=' || cast({{ column }} as {{ string_type() }}){% endfor %})
{%- endif -%}
{%- endmacro %}

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

{#- The columns of landing that kept the contract's type, because every delivery came in it (landing/view.py). All others are
    text, and so are all where the relation does not exist yet. -#}
{% macro native_columns(table) %}
    {%- set types = {} -%}
    {%- for column in adapter.get_columns_in_relation(source('landing', table)) -%}
        {%- do types.update({column.name | lower: column.data_type | lower}) -%}
    {%- endfor -%}
    {%- set native = [] -%}
    {%- for column in contract(table).columns.values()
        if column.data_type != 'varchar' and types.get(column.name) == column.data_type -%}
        {%- do native.append(column.name) -%}
    {%- endfor -%}
    {{ return(native) }}
{% endmacro %}

{#- The key as one text, NULL where its first column is missing. A bar inside a value is written ~1, so that no two keys
    read alike. -#}
{% macro row_key(columns) -%}
{%- if columns | length == 1 -%} {{ columns[0] }}
{%- else -%} case when {{ columns[0] }} is not null then concat_ws('|'
{%- for column in columns %},
            replace(replace(coalesce(cast({{ column }} as {{ string_type() }}), ''), '~', '~0'), '|', '~1')
{%- endfor %}) end
{%- endif -%}
{%- endmacro %}

{#- Two lists of equal length for one table: conditions that no row may meet, and the words for each. A deletion needs to
    say what is deleted and nothing more, so it is judged by its key alone. -#}
{% macro judgements(table) %}
{%- set node = contract(table) -%}
{%- set meta = contract_meta(node) -%}
{%- set conditions = ['_problem is not null'] -%}
{%- set problems = ['_problem'] -%}
{%- for column in node.columns.values() -%}
    {%- set rules = contract_meta(column) -%}
    {%- set judged = '' if column.name in meta.key else 'not is_deleted and ' -%}
    {%- set unreadable = '_unreadable_' ~ column.name if column.data_type != 'varchar' else none -%}
    {%- set found = [] -%}
    {%- if unreadable -%}
        {%- do found.append([unreadable, 'is not ' ~ type_in_words(column.data_type)]) -%}
    {%- endif -%}
    {%- if rules.get('required') -%}
        {#- What could not be read is there, and a line that could not be split has no columns to miss. -#}
        {%- do found.append([column.name ~ ' is null' ~ (' and not ' ~ unreadable if unreadable else '')
            ~ ' and _problem is null', 'is missing']) -%}
    {%- endif -%}
    {%- if rules.get('accepted') -%}
        {%- do found.append(["lower(" ~ column.name ~ ") not in ('" ~ rules.accepted | join("', '") ~ "')",
            'is not an accepted value']) -%}
    {%- endif -%}
    {%- if rules.get('at_least') is not none -%}
        {%- do found.append([column.name ~ ' < ' ~ rules.at_least, 'is below ' ~ rules.at_least]) -%}
    {%- endif -%}
    {%- for condition, words in found -%}
        {%- do conditions.append('(' ~ judged ~ condition ~ ')') -%}
        {%- do problems.append("case when " ~ judged ~ condition ~ " then '" ~ column.name ~ ' ' ~ words ~ "' end") -%}
    {%- endfor -%}
{%- endfor -%}
{%- for rule in meta.get('rules', []) -%}
    {%- set broken = 'not is_deleted and _problem is null and not (' ~ rule_sql(rule) ~ ')' -%}
    {%- do conditions.append('(' ~ broken ~ ')') -%}
    {%- do problems.append("case when " ~ broken ~ " then '" ~ sentence(rule.name) ~ " does not hold' end") -%}
{%- endfor -%}
{{ return({'conditions': conditions, 'problems': problems}) }}
{% endmacro %}

{#- Stop a night on a contract that has grown since its rows were kept: a column that is only added would be NULL in
    rows whose files carry it. -#}
{% macro refuse_grown_contract(table, columns) %}
{%- set kept = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
{%- set grown = columns | map(attribute='name') | reject('in', kept) | list -%}
{%- if grown -%}
    {%- do exceptions.raise_compiler_error('the contract of ' ~ table ~ ' has grown by ' ~ grown | join(', ')
        ~ ' since its rows were kept; run `retention refresh --full-refresh` once, which reads all deliveries again') -%}
{%- endif -%}
{% endmacro %}

{% macro delivered_and_judged(table) %}
{%- if execute -%}
{%- set node = contract(table) -%}
{%- set meta = contract_meta(node) -%}
{%- set columns = node.columns.values() | list -%}
{%- if is_incremental() %}{% do refuse_grown_contract(table, columns) %}{% endif -%}
{%- set judgements = judgements(table) -%}
{%- set native = native_columns(table) -%}

with

delivered as (

    select * from {{ source('landing', table) }}
    {% if is_incremental() %}
    -- Batches sort by arrival and every landed row is kept, so the newest kept batch is the high-water mark.
    where _batch_id > (select coalesce(max(_batch_id), '') from {{ this }})
    {% endif %}

),

trimmed as (

    select
        {% for column in columns -%}
        {% if column.name in native %}delivered.{{ column.name }}
        {%- else %}{{ as_text('delivered.' ~ column.name) }}{% endif %} as {{ column.name }},
        {% endfor -%}
        _source,
        _batch_id,
        _row_number,
        _loaded_at,
        coalesce(_is_deleted, false) as is_deleted,
        _problem,
        _raw,
        _date_order,
        _timezone,
        -- as delivered, for the quarantine
        {% for column in columns -%}
        delivered.{{ column.name }} as _delivered_{{ column.name }}{{ ',' if not loop.last }}
        {% endfor %}
    from delivered

),

typed as (

    select
        {% for column in columns -%}
        {{ typed('trimmed.' ~ column.name, column.data_type, column.name in native) }} as {{ column.name }},
        {% endfor -%}
        trimmed._source,
        trimmed._batch_id,
        trimmed._row_number,
        trimmed._loaded_at,
        trimmed.is_deleted,
        trimmed._problem,
        trimmed._raw,
        -- what could not be read as its type, by column
        {% for column in columns if column.data_type != 'varchar' -%}
        trimmed.{{ column.name }} is not null
            and {{ typed('trimmed.' ~ column.name, column.data_type, column.name in native) }} is null as _unreadable_{{ column.name }},
        {% endfor -%}
        {% for column in columns -%}
        trimmed._delivered_{{ column.name }}{{ ',' if not loop.last }}
        {% endfor %}
    from trimmed

),

judged as (

    select
        {% for column in columns -%}
        {% if contract_meta(column).get('accepted') %}lower({{ column.name }}) as {{ column.name }}{% else %}{{ column.name }}{% endif %},
        {% endfor -%}
        _source,
        _batch_id,
        _row_number,
        _loaded_at,
        is_deleted,
        {{ row_key(meta.key) }} as _key,
        -- The words are put together only for the few rows that need them.
        case
            when {{ judgements.conditions | join('\n                or ') }}
                then concat_ws('; '
                {%- for problem in judgements.problems %},
                    {{ problem }}
                {%- endfor %})
        end as _problems,
        case
            when {{ judgements.conditions | join('\n                or ') }}
                then coalesce(_raw, concat_ws(', '
                {%- for column in columns %},
                    '{{ column.name }}=' || cast(_delivered_{{ column.name }} as {{ string_type() }})
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
        kept._problems, kept._raw_text
    from {{ this }} as kept
    inner join touched_keys on kept._key = touched_keys._key

),
{% else %}
versions as (

    select * from judged

),
{% endif %}

-- Few keys have more than one version, and only their rows need to be put in order.
repeated_keys as (

    select _key
    from versions
    where _key is not null
    group by 1
    having count(*) > 1

),

single_rows as (

    select
        versions.*,
        {% if meta.get('version') -%}
        coalesce(
            {{ meta.version }},
            case when is_deleted and _problems is null then _loaded_at end
        )
        {%- else -%} cast(null as timestamp) {%- endif %} as _version_at,
        case when _problems is null then cast(1 as bigint) end as _version_rank

    from versions
    left join repeated_keys on versions._key = repeated_keys._key
    where repeated_keys._key is null

),

repeated_rows as (

    select
        versions.*,
        {% if meta.get('version') -%}
        -- A row without a version is older than every version. Only a deletion counts from its delivery instead, and
        -- so does what is delivered again after it.
        coalesce(
            {{ meta.version }},
            case
                when _batch_id >= min(
                    case when is_deleted and {{ meta.version }} is null and _problems is null then _batch_id end
                ) over (partition by versions._key)
                    then _loaded_at
            end
        )
        {%- else -%} cast(null as timestamp) {%- endif %} as _version_at

    from versions
    inner join repeated_keys on versions._key = repeated_keys._key

),

final as (

    select * from single_rows
    union all
    select
        *,
        case when _problems is null then
            cast(row_number() over (
                partition by _key, _problems is null
                order by _version_at desc nulls last, _batch_id desc nulls last, _row_number desc nulls last
            ) as bigint)
        end as _version_rank

    from repeated_rows

)

select * from final
{%- endif -%}
{% endmacro %}

{#- Rows of base_<table>, by default the newest valid version of each key, with what is wrong between them and their
    parents (`_link_problems`). A deleted parent is a parent: the lines of a deleted order are no defect, their readers drop
    them with the order. The parents' staging models must be named in the calling model, so that dbt sees the edge:
    `parents` maps table -> relation. What may be left out and is, is missed by nobody: reviews without a
    catalogue are reviews. -#}
{% macro linked(table, base, parents, rows='_version_rank = 1') %}
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
                {%- if parent.get('may_be_left_out') %}
                and (select count(*) from (select 1 from {{ parents[parent.table] }} limit 1) as any_row) > 0 {%- endif %}
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
    where child.{{ rows }}
{%- endif -%}
{% endmacro %}

{#- The body of a stg_ model: the contract's columns of the rows that are linked. -#}
{% macro staged(table, base, parents={}) %}
{%- if execute %}
with

newest as (

    {{ linked(table, base, parents) }}

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

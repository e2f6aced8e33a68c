{#- Tables without a time of their own are dated by the day of their delivery. -#}
{%- set news_days = days_of_news() -%}

with

deliveries as (

    select * from {{ ref('stg_night_deliveries') }}

),

-- News is followed back from the newest that there is, so that a source which fell silent is still known.
windows as (

    select
        source_table,
        {{ add_days(
            'least(' ~ shop_day('newest_row_at') ~ ', ' ~ as_of_date() ~ ')', -news_days) }} as first_date,
        {{ add_days(
            'least(cast(newest_row_at as date), ' ~ as_of_date() ~ ')', -news_days - 1) }} as first_utc_date

    from {{ ref('int_health__sources') }}
    where newest_row_at is not null

),

{% for table, happened_at in contract_tables().items() if happened_at -%}
{%- set is_day = happened_at.endswith('_date') -%}
{%- set day = happened_at if is_day else shop_day(happened_at) -%}
news_of_{{ table }} as (

    select
        '{{ table }}' as source_table,
        {{ day }} as news_date,
        cast(count(*) as bigint) as row_count
    from {{ ref('base_' ~ table) }}
    cross join (select * from windows where source_table = '{{ table }}') as window_of_source
    where
        _version_rank = 1
        and not is_deleted
        and {{ happened_at ~ ' <= ' ~ as_of_date() if is_day else is_known(happened_at) }}
        -- The days are worked out for the rows of the window alone.
        and {{ happened_at }} >= window_of_source.first_utc_date
        and {{ day }} > window_of_source.first_date
    group by 2

),

{% endfor -%}
delivered as (

    select
        source_table,
        delivery_date as news_date,
        cast(sum(landed_rows) as bigint) as row_count
    from deliveries
    where source_table in (
        {%- set comma = joiner(', ') -%}
        {%- for table, happened_at in contract_tables().items() if not happened_at %}{{ comma() }}'{{ table }}'{% endfor -%}
    )
    group by 1, 2

),

news as (

    {% for table, happened_at in contract_tables().items() if happened_at -%}
    select *, true as is_by_event from news_of_{{ table }}
    union all
    {% endfor -%}
    select *, false as is_by_event from delivered

),

final as (

    select
        -- keys
        source_table,
        news_date,

        -- measures
        row_count,

        -- flags
        is_by_event

    from news

)

select * from final

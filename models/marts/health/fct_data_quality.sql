{%- set judged_days = judged_days() -%}
{%- set weeks = weeks_of_history() -%}
{#- With fewer days to compare with, or fewer rows on them, a band says nothing. -#}
{%- set fewest_weeks = 6 -%}
{%- set fewest_rows = 5 -%}
{%- set fewest_waits = 5 -%}
{%- set fewest_deliveries = 8 -%}
{%- set kept_deliveries = 28 -%}
{%- set never_lost = "('orders', 'order_lines')" -%}

with

days as (

    select * from {{ ref('int_health__days') }}

),

deliveries as (

    select * from {{ ref('int_health__deliveries') }}

),

newest_delivery as (

    select max(delivery_date) as newest_date from deliveries

),

-- What has a time is due until the night; what has none, until the shop's newest delivery of anything.
sources as (

    select
        days.source_table,
        bool_or(days.is_by_event) as is_by_event,
        min(days.news_date) as first_date,
        max(days.news_date) as newest_date,
        case when bool_or(days.is_by_event) then {{ as_of_date() }} else max(newest_delivery.newest_date) end as end_date

    from days
    cross join newest_delivery
    group by 1

),

waits as (

    select
        source_table,
        {{ days_between('lag(news_date) over (partition by source_table order by news_date asc nulls last)', 'news_date') }}
            as waited_days
    from days

),

-- A shop closed on Sundays waits two days once a week: nineteen waits of twenty are no longer than the usual one.
usual_waits as (

    select
        source_table,
        count(waited_days) as wait_count,
        cast(ceil(percentile_cont(0.95) within group (order by waited_days)) as integer) as usual_days
    from waits
    where waited_days is not null
    group by 1

),

silences as (

    select
        sources.source_table,
        sources.newest_date,
        sources.end_date,
        {{ days_between('sources.newest_date', 'sources.end_date') }} as silent_days,
        coalesce(usual_waits.wait_count, 0) as wait_count,
        usual_waits.usual_days,
        24 * greatest(0, {{ days_between('sources.newest_date', 'sources.end_date') }} - usual_waits.usual_days)
            as late_hours

    from sources
    left join usual_waits on sources.source_table = usual_waits.source_table

),

freshness as (

    select
        'freshness' as check_name,
        source_table,
        end_date as checked_date,
        cast(silent_days as double) as measured,
        cast(null as double) as band_low,
        case when wait_count >= {{ fewest_waits }}
            then usual_days + cast({{ var('freshness_warn_hours') }} as double) / 24 end as band_high,
        cast(null as bigint) as checked_rows,
        cast(null as bigint) as failing_rows,
        case
            when wait_count < {{ fewest_waits }} then 'not_judged'
            when late_hours >= {{ var('freshness_error_hours') }} then 'failed'
            when late_hours >= {{ var('freshness_warn_hours') }} then 'warned'
            else 'passed'
        end as status,
        'no news for ' || cast(silent_days as {{ string_type() }}) || ' days'
            || coalesce(', usually at most ' || cast(usual_days as {{ string_type() }}), '') as finding,
        false as is_lost,
        case when late_hours > 0 then {{ add_days('newest_date', 'usual_days + 1') }} end as late_since_date

    from silences

),

judged as (

    select
        sources.source_table,
        sources.first_date,
        {{ add_days('sources.end_date', '-numbers.n') }} as checked_date
    from sources
    cross join {{ numbers(judged_days) }} as numbers
    where {{ add_days('sources.end_date', '-numbers.n') }} >= sources.first_date

),

-- The same weekday of the weeks before; a day without a row is a day of zero rows.
same_weekdays as (

    select
        judged.source_table,
        judged.checked_date,
        cast(coalesce(days.row_count, 0) as double) as row_count
    from judged
    cross join {{ numbers(weeks) }} as numbers
    left join days
        on judged.source_table = days.source_table
        and days.news_date = {{ add_days('judged.checked_date', '-7 * (numbers.n + 1)') }}
    where {{ add_days('judged.checked_date', '-7 * (numbers.n + 1)') }} >= judged.first_date

),

usual_rows as (

    {{ median_and_deviation('same_weekdays', ['source_table', 'checked_date'], 'row_count') }}

),

-- Counts vary by their square root if by nothing else, so that eight equal weeks are no promise of a ninth.
banded as (

    select
        judged.source_table,
        judged.checked_date,
        coalesce(days.row_count, 0) as row_count,
        usual_rows.value_count >= {{ fewest_weeks }} and usual_rows.median >= {{ fewest_rows }} as is_judged,
        greatest(0, usual_rows.median - {{ var('volume_band_width') }}
            * greatest({{ robust_deviation('usual_rows.mad') }}, sqrt(usual_rows.median))) as band_low,
        usual_rows.median + {{ var('volume_band_width') }}
            * greatest({{ robust_deviation('usual_rows.mad') }}, sqrt(usual_rows.median)) as band_high

    from judged
    left join usual_rows
        on judged.source_table = usual_rows.source_table
        and judged.checked_date = usual_rows.checked_date
    left join days
        on judged.source_table = days.source_table
        and judged.checked_date = days.news_date

),

volume as (

    select
        'volume' as check_name,
        source_table,
        checked_date,
        cast(row_count as double) as measured,
        case when is_judged then band_low end as band_low,
        case when is_judged then band_high end as band_high,
        row_count as checked_rows,
        case
            when not coalesce(is_judged, false) then null
            when row_count < band_low then cast(ceil(band_low - row_count) as bigint)
            when row_count > band_high then cast(ceil(row_count - band_high) as bigint)
            else 0
        end as failing_rows,
        case
            when not coalesce(is_judged, false) then 'not_judged'
            when row_count < band_low or row_count > band_high then 'warned'
            else 'passed'
        end as status,
        cast(row_count as {{ string_type() }}) || ' rows' || case when is_judged then
            ', usually ' || cast(cast(round(band_low, 0) as bigint) as {{ string_type() }})
            || ' to ' || cast(cast(round(band_high, 0) as bigint) as {{ string_type() }}) else '' end as finding,
        false as is_lost,
        cast(null as date) as late_since_date

    from banded

),

numbered_deliveries as (

    select
        *,
        {{ ratio('quarantined_rows', 'landed_rows') }} as quarantined_share,
        row_number() over (partition by source_table order by delivery_date desc nulls last) as place_from_newest
    from deliveries

),

schema_changes as (

    select
        'schema' as check_name,
        source_table,
        delivery_date as checked_date,
        cast(change_count as double) as measured,
        cast(null as double) as band_low,
        case when has_one_before then cast(0 as double) end as band_high,
        landed_rows as checked_rows,
        case when has_one_before then changed_rows end as failing_rows,
        case
            when not has_one_before then 'not_judged'
            when change_count > 0 then 'warned'
            else 'passed'
        end as status,
        case
            when not has_one_before then 'the first delivery'
            when change_count = 0 then 'the columns of the delivery before'
            else concat_ws('; ',
                'missing: ' || missing_columns,
                'new: ' || added_columns,
                case when unknown_change_count > 0 then
                    cast(unknown_change_count as {{ string_type() }}) || ' columns outside the contract came or went' end)
        end as finding,
        false as is_lost,
        cast(null as date) as late_since_date

    from numbered_deliveries
    where place_from_newest <= {{ kept_deliveries }}

),

-- Each delivery against those before it, so that today's reject no longer hides in its own history.
earlier_deliveries as (

    select
        deliveries.source_table,
        deliveries.delivery_date,
        earlier.quarantined_share
    from numbered_deliveries as deliveries
    inner join numbered_deliveries as earlier
        on deliveries.source_table = earlier.source_table
        and earlier.place_from_newest between deliveries.place_from_newest + 1
        and deliveries.place_from_newest + {{ kept_deliveries }}
    where deliveries.place_from_newest <= {{ kept_deliveries }}

),

usual_shares as (

    {{ median_and_deviation('earlier_deliveries', ['source_table', 'delivery_date'], 'quarantined_share') }}

),

-- A share of few rows says little: what counts is the lower end of its interval.
shares as (

    select
        deliveries.*,
        {{ wilson_low('deliveries.quarantined_rows', 'deliveries.landed_rows') }} as share_low,
        case when usual_shares.value_count >= {{ fewest_deliveries }} then
            least(
                {{ var('quarantine_share_limit') }},
                usual_shares.median + greatest(
                    {{ var('volume_band_width') }} * {{ robust_deviation('usual_shares.mad') }},
                    {{ var('quarantine_share_limit') }} / 10.0))
        end as usual_high

    from numbered_deliveries as deliveries
    left join usual_shares
        on deliveries.source_table = usual_shares.source_table
        and deliveries.delivery_date = usual_shares.delivery_date
    where deliveries.place_from_newest <= {{ kept_deliveries }}

),

quarantine as (

    select
        'quarantine' as check_name,
        source_table,
        delivery_date as checked_date,
        quarantined_share as measured,
        cast(0 as double) as band_low,
        cast(coalesce(usual_high, {{ var('quarantine_share_limit') }}) as double) as band_high,
        landed_rows as checked_rows,
        quarantined_rows as failing_rows,
        case
            when landed_rows = 0 then 'not_judged'
            when share_low > {{ var('quarantine_share_limit') }} then 'failed'
            when share_low > usual_high then 'warned'
            else 'passed'
        end as status,
        cast(quarantined_rows as {{ string_type() }}) || ' of ' || cast(landed_rows as {{ string_type() }})
            || ' rows in quarantine' as finding,
        source_table in {{ never_lost }} and coalesce(share_low > {{ var('quarantine_block_share') }}, false) as is_lost,
        cast(null as date) as late_since_date

    from shares

),

findings as (

    select * from freshness
    union all
    select * from volume
    union all
    select * from schema_changes
    union all
    select * from quarantine

),

-- A run of days with one status is an island: the day it began is since when things are as they are.
runs as (

    select
        *,
        row_number() over (
            partition by check_name, source_table order by checked_date asc nulls last
        ) - row_number() over (
            partition by check_name, source_table, status order by checked_date asc nulls last
        ) as run_number,
        row_number() over (
            partition by check_name, source_table order by checked_date desc nulls last
        ) as place_from_newest
    from findings

),

final as (

    select
        -- keys
        check_name,
        source_table,
        checked_date,

        -- measures
        measured,
        band_low,
        band_high,
        checked_rows,
        failing_rows,

        -- attributes
        status,
        case
            when status not in ('warned', 'failed') then null
            when is_lost then 'block'
            when status = 'failed' then 'error'
            else 'warn'
        end as severity,
        finding,

        -- flags
        place_from_newest = 1 as is_newest,

        -- times
        coalesce(
            late_since_date,
            min(checked_date) over (partition by check_name, source_table, status, run_number)
        ) as since_date,
        {{ as_of_date() }} as as_of_date

    from runs

)

select * from final

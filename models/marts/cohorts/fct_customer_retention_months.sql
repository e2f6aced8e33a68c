{#- More months than any shop has; the data window ends the list. -#}
{%- set month_limit = 1200 -%}

with

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

data_window as (

    select * from {{ ref('int_purchases__data_window') }}
    where data_start_date is not null

),

months as (

    select
        {{ add_months(month_of('data_window.data_start_date'), 'numbers.n') }} as month_start,
        numbers.n as month_number,
        data_window.first_untruncated_date

    from data_window
    inner join {{ numbers(month_limit) }} as numbers
        on numbers.n <= {{ months_between('data_window.data_start_date', 'data_window.as_of_date') }}

),

occasions_with_previous as (

    select
        customer_id,
        ordered_month,
        occasion_number,
        {{ month_of(add_days('ordered_date', '-days_since_previous')) }} as previous_month
    from occasions

),

-- One row per customer and month with an occasion: the first occasion of the month stands for it.
customer_months as (

    select * from occasions_with_previous
    where occasion_number = 1 or previous_month <> ordered_month

),

month_counts as (

    select
        ordered_month,
        cast(count(*) as bigint) as active_customers,
        cast(count(*) filter (where occasion_number = 1) as bigint) as new_customers,
        cast(count(*) filter (
            where previous_month = {{ add_months('ordered_month', -1) }}
        ) as bigint) as retained_customers,
        cast(count(*) filter (
            where previous_month < {{ add_months('ordered_month', -1) }}
        ) as bigint) as resurrected_customers

    from customer_months
    group by 1

),

year_counts as (

    select
        customer_months.ordered_month,
        cast(count(*) as bigint) as retained_customers_year_over_year
    from customer_months
    inner join customer_months as year_ago
        on customer_months.customer_id = year_ago.customer_id
        and year_ago.ordered_month = {{ add_months('customer_months.ordered_month', -12) }}
    group by 1

),

-- Every month of the window, also one in which nobody ordered.
filled as (

    select
        months.month_start,
        months.month_number,
        months.month_start < months.first_untruncated_date as is_left_truncated,
        {{ end_of_month('months.month_start') }} <= {{ as_of_date() }} as is_mature,
        coalesce(month_counts.active_customers, 0) as active_customers,
        coalesce(month_counts.new_customers, 0) as new_customers,
        coalesce(month_counts.retained_customers, 0) as retained_customers,
        coalesce(month_counts.resurrected_customers, 0) as resurrected_customers,
        coalesce(year_counts.retained_customers_year_over_year, 0) as retained_customers_year_over_year

    from months
    left join month_counts on months.month_start = month_counts.ordered_month
    left join year_counts on months.month_start = year_counts.ordered_month

),

-- Months have no gaps, so twelve rows back is the same month a year ago.
with_earlier_months as (

    select
        *,
        lag(active_customers, 1) over by_month as active_customers_before,
        lag(active_customers, 12) over by_month as active_customers_year_before
    from filled
    window by_month as (order by month_start asc nulls last)

),

lapses as (

    select
        *,
        coalesce(active_customers_before, 0) - retained_customers as lapsed_customers
    from with_earlier_months

),

final as (

    select
        -- keys
        month_start,

        -- measures
        {% for measure in [
            'active_customers', 'new_customers', 'retained_customers', 'resurrected_customers', 'lapsed_customers'
        ] -%}
        case when is_mature then {{ measure }} end as {{ measure }},
        {% endfor -%}
        case when is_mature and active_customers_year_before is not null
            then retained_customers_year_over_year
        end as retained_customers_year_over_year,
        case when is_mature then {{ ratio('(active_customers - new_customers)', 'active_customers') }} end
            as returning_customer_share,
        case when is_mature then {{ ratio('retained_customers', 'active_customers_before') }} end
            as customer_retention_rate,
        case when is_mature then {{ wilson_low('retained_customers', 'active_customers_before') }} end
            as customer_retention_ci_low,
        case when is_mature then {{ wilson_high('retained_customers', 'active_customers_before') }} end
            as customer_retention_ci_high,
        case when is_mature
            then {{ ratio('retained_customers_year_over_year', 'active_customers_year_before') }}
        end as customer_retention_rate_year_over_year,
        case when is_mature
            then {{ ratio('(new_customers + resurrected_customers)', 'lapsed_customers') }}
        end as quick_ratio,
        active_customers as active_customers_so_far,

        -- flags
        is_mature,
        is_left_truncated,

        -- times
        {{ as_of_date() }} as as_of_date

    from lapses

)

select * from final

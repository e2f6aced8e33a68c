{#- More ages than any shop has; the cohort's own age ends each list. -#}
{%- set age_limit = 1200 -%}

with

customers as (

    select
        cohort_month,
        first_channel,
        coalesce(country_code, 'unknown') as country_code,
        is_left_truncated
    from {{ ref('int_purchases__customers') }}

),

activity as (

    select * from {{ ref('int_cohorts__activity') }}

),

customer_counts as (

    select
        cohort_month,
        first_channel,
        country_code,
        cast(count(*) as bigint) as cohort_size
    from customers
    group by 1, 2, 3

),

-- One old customer among the new ones is enough: nobody can say who else is one.
cohort_months as (

    select
        cohort_month,
        {{ end_of_month('cohort_month') }} as cohort_end_date,
        bool_or(is_left_truncated) as is_left_truncated
    from customers
    group by 1

),

cohorts as (

    {% for segment_type, segment in cohort_segments() -%}
    select
        cohort_month,
        '{{ segment_type }}' as segment_type,
        {{ segment }} as segment,
        cast(sum(cohort_size) as bigint) as cohort_size
    from customer_counts
    group by 1, 2, 3
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

activity_per_segment as (

    {% for segment_type, segment in cohort_segments() -%}
    select
        cohort_month,
        '{{ segment_type }}' as segment_type,
        {{ segment }} as segment,
        age_unit,
        age,
        cast(sum(active_customers) as bigint) as active_customers,
        cast(sum(second_occasion_customers) as bigint) as second_occasion_customers,
        cast(sum(last_active_customers) as bigint) as last_active_customers
    from activity
    group by 1, 2, 3, 4, 5
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

numbers as (

    select n from {{ numbers(age_limit) }} as all_numbers

),

-- Every age that the first day of the cohort has reached, with the day on which its window closes for the last day.
windows as (

    select
        cohort_months.cohort_month,
        'month' as age_unit,
        numbers.n as age,
        'month ' || cast(numbers.n as {{ string_type() }}) as age_label,
        {{ end_of_month(add_months('cohort_months.cohort_month', 'numbers.n')) }} as window_end_date
    from cohort_months
    inner join numbers on numbers.n <= {{ months_between('cohort_months.cohort_month', as_of_date()) }}

    union all

    select
        cohort_months.cohort_month,
        '30_days' as age_unit,
        numbers.n as age,
        'days ' || cast(30 * numbers.n as {{ string_type() }}) || ' to '
            || cast(30 * numbers.n + 29 as {{ string_type() }}) as age_label,
        {{ add_days('cohort_months.cohort_end_date', '30 * (numbers.n + 1) - 1') }} as window_end_date
    from cohort_months
    inner join numbers
        on 30 * numbers.n <= {{ days_between('cohort_months.cohort_month', as_of_date()) }}

    {% for first_day, last_day in retention_brackets() -%}
    union all

    select
        cohort_month,
        'days' as age_unit,
        {{ first_day }} as age,
        'days {{ first_day }} to {{ last_day }}' as age_label,
        {{ add_days('cohort_end_date', last_day) }} as window_end_date
    from cohort_months
    where {{ days_between('cohort_month', as_of_date()) }} >= {{ first_day }}

    {% endfor %}
),

-- Every cell that exists, also where nobody came back.
cells as (

    select
        cohorts.cohort_month,
        cohorts.segment_type,
        cohorts.segment,
        cohorts.cohort_size,
        windows.age_unit,
        windows.age,
        windows.age_label,
        windows.window_end_date,
        coalesce(activity_per_segment.active_customers, 0) as active_customers,
        coalesce(activity_per_segment.second_occasion_customers, 0) as second_occasion_customers,
        -- Who was last seen at this age or later has at least one occasion at this age or later.
        cast(sum(coalesce(activity_per_segment.last_active_customers, 0)) over this_age_or_later as bigint)
            as rolling_customers,
        cast(sum(coalesce(activity_per_segment.second_occasion_customers, 0)) over this_age_or_later as bigint)
            as rolling_second_occasion_customers

    from cohorts
    inner join windows on cohorts.cohort_month = windows.cohort_month
    left join activity_per_segment
        on cohorts.cohort_month = activity_per_segment.cohort_month
        and cohorts.segment_type = activity_per_segment.segment_type
        and cohorts.segment = activity_per_segment.segment
        and windows.age_unit = activity_per_segment.age_unit
        and windows.age = activity_per_segment.age
    window this_age_or_later as (
        partition by cohorts.cohort_month, cohorts.segment_type, cohorts.segment, windows.age_unit
        order by windows.age desc nulls last
        rows between unbounded preceding and current row
    )

),

-- The first purchase itself makes age 0 whole, so the repeats at age 0 are a count of their own.
by_retention_type as (

    select
        *,
        case when age_unit = 'days' then 'bracket' else 'bounded' end as retention_type,
        active_customers as retained_so_far,
        case when age = 0 then second_occasion_customers else active_customers end as repeat_so_far
    from cells

    union all

    select
        *,
        'rolling' as retention_type,
        rolling_customers as retained_so_far,
        case when age = 0 then rolling_second_occasion_customers else rolling_customers end as repeat_so_far
    from cells
    where age_unit <> 'days'

),

final as (

    select
        -- keys
        by_retention_type.cohort_month,
        by_retention_type.segment_type,
        by_retention_type.segment,
        by_retention_type.retention_type,
        by_retention_type.age_unit,
        by_retention_type.age,

        -- attributes
        by_retention_type.age_label,

        -- measures
        by_retention_type.cohort_size,
        by_retention_type.retained_so_far,
        by_retention_type.repeat_so_far,

        -- flags
        by_retention_type.window_end_date <= {{ as_of_date() }} as is_mature,
        cohort_months.is_left_truncated,

        -- times
        by_retention_type.window_end_date

    from by_retention_type
    inner join cohort_months on by_retention_type.cohort_month = cohort_months.cohort_month

)

select * from final

{#- More days than any shop has traded; as_of_date ends the list. -#}
{%- set day_limit = 36600 -%}

with

orders as (

    select * from {{ ref('fct_orders') }}

),

membership_months as (

    select * from {{ ref('fct_membership_months') }}

),

first_days as (

    select min(ordered_date) as first_date from orders
    union all
    select min(month_start) as first_date from membership_months

),

-- Whole years, so that a comparison with the year before finds its days also in the first one.
first_year as (

    select cast(date_trunc('year', min(first_date)) as date) as first_date from first_days

),

days as (

    select {{ add_days('first_year.first_date', 'numbers.n') }} as calendar_date
    from first_year
    inner join {{ numbers(day_limit) }} as numbers
        on numbers.n <= {{ days_between('first_year.first_date', as_of_date()) }}

),

final as (

    select
        -- keys
        calendar_date,

        -- attributes
        {{ day_of_week('calendar_date') }} as day_of_week,
        {{ add_days('calendar_date', '1 - ' ~ day_of_week('calendar_date')) }} as week_start,
        {{ month_of('calendar_date') }} as month_start,
        cast(date_trunc('quarter', calendar_date) as date) as quarter_start,
        cast(date_trunc('year', calendar_date) as date) as year_start,

        -- flags
        calendar_date = last_day(calendar_date) as is_month_end,

        -- times
        {{ as_of_date() }} as as_of_date

    from days

)

select * from final

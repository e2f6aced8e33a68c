select
    min(calendar_date) as first_date,
    max(calendar_date) as last_date,
    count(*) as days,
    {{ days_between('min(calendar_date)', 'max(calendar_date)') }} + 1 as days_of_the_calendar

from {{ ref('fct_kpi_days') }}
having
    count(*) > 0
    and (count(*) <> {{ days_between('min(calendar_date)', 'max(calendar_date)') }} + 1 or max(calendar_date) <> {{ as_of_date() }})

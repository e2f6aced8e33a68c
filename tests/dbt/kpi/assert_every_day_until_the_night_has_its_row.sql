select
    min(kpi_date) as first_date,
    max(kpi_date) as last_date,
    count(*) as days,
    {{ days_between('min(kpi_date)', 'max(kpi_date)') }} + 1 as days_of_the_calendar

from {{ ref('fct_kpi_days') }}
having
    count(*) > 0
    and (count(*) <> {{ days_between('min(kpi_date)', 'max(kpi_date)') }} + 1 or max(kpi_date) <> {{ as_of_date() }})

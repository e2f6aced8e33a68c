-- The time spine of the metrics: a day that is missing there is missing in every comparison with the year before.
with

calendar as (

    select
        min(calendar_date) as first_date,
        max(calendar_date) as last_date,
        count(*) as day_count

    from {{ ref('dim_dates') }}

),

orders as (

    select min(ordered_date) as first_date from {{ ref('fct_orders') }}

)

select calendar.*, orders.first_date as first_ordered_date
from calendar
cross join orders
where calendar.day_count <> {{ days_between('calendar.first_date', as_of_date()) }} + 1
    or calendar.last_date <> {{ as_of_date() }}
    or calendar.first_date > orders.first_date

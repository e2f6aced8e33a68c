with

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}
    where occasion_number between 2 and 4

),

reached as (

    select
        cohort_month,
        occasion_number as nth_order,
        age_days as day_number,
        cast(count(*) as bigint) as reached_customers,
        cast(0 as bigint) as censored_customers
    from occasions
    group by 1, 2, 3

),

-- Who has not ordered that often has been watched until the as-of day and no longer.
censored as (

    select
        customers.cohort_month,
        numbers.n + 2 as nth_order,
        customers.age_days as day_number,
        cast(0 as bigint) as reached_customers,
        cast(count(*) as bigint) as censored_customers
    from customers
    inner join {{ numbers(3) }} as numbers on customers.occasion_count < numbers.n + 2
    group by 1, 2, 3

),

final as (

    select
        cohort_month,
        cast(nth_order as integer) as nth_order,
        cast(day_number as integer) as day_number,
        cast(sum(reached_customers) as bigint) as reached_customers,
        cast(sum(censored_customers) as bigint) as censored_customers

    from (
        select * from reached
        union all
        select * from censored
    ) as exits
    group by 1, 2, 3

)

select * from final

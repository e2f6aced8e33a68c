with

reached as (

    select
        cohort_month,
        occasion_number,
        age_days,
        cast(count(*) as bigint) as customers
    from {{ ref('int_purchases__occasions') }}
    where occasion_number between 2 and 4
    group by 1, 2, 3

),

curves as (

    select * from {{ ref('fct_repurchase_curves') }}

),

final as (

    select
        curves.cohort_month,
        curves.nth_order,
        curves.day_n,
        curves.reached_so_far,
        cast(coalesce(sum(reached.customers), 0) as bigint) as reached_in_occasions

    from curves
    left join reached
        on curves.cohort_month = reached.cohort_month
        and curves.nth_order = reached.occasion_number
        and curves.day_n >= reached.age_days
    group by 1, 2, 3, 4
    having curves.reached_so_far <> coalesce(sum(reached.customers), 0)

)

select * from final

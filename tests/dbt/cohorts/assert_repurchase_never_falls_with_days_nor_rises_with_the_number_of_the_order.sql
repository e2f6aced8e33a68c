with

curves as (

    select * from {{ ref('fct_repurchase_curves') }}

),

final as (

    select
        curves.cohort_month,
        curves.nth_order,
        curves.day_n,
        curves.reached_so_far,
        curves.kaplan_meier_rate,
        other.nth_order as other_nth_order,
        other.day_n as other_day_n,
        other.reached_so_far as other_reached_so_far,
        other.kaplan_meier_rate as other_kaplan_meier_rate

    from curves
    inner join curves as other
        on curves.cohort_month = other.cohort_month
        and (
            (curves.nth_order = other.nth_order and curves.day_n < other.day_n)
            or (curves.day_n = other.day_n and curves.nth_order > other.nth_order)
        )
    where
        curves.reached_so_far > other.reached_so_far
        or (curves.nth_order = other.nth_order and curves.kaplan_meier_rate > other.kaplan_meier_rate + 1e-9)

)

select * from final

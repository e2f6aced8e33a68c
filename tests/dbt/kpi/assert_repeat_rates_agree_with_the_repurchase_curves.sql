-- The share of a month's new customers with a second occasion within 90 days, told by two marts.
select
    months.month_start,
    months.repeat_rate_90d,
    curves.reached_customers,
    curves.eligible_customers

from {{ ref('fct_kpi_months') }} as months
inner join {{ ref('fct_repurchase_curves') }} as curves
    on months.month_start = curves.cohort_month
    and curves.day_n = 90
    and curves.nth_order = 2
where
    months.new_customers > 0
    and (
        months.is_repeat_rate_mature <> curves.is_mature
        or abs(months.repeat_rate_90d - {{ ratio('curves.reached_customers', 'curves.eligible_customers') }}) > 1e-12
    )

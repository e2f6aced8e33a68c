-- Two marts tell active and new customers and the returning share of a complete month.
select
    coalesce(months.month_start, retention.month_start) as month_start,
    months.active_customers,
    retention.active_customers as active_customers_of_retention,
    months.new_customers,
    retention.new_customers as new_customers_of_retention,
    months.returning_customer_share,
    retention.returning_customer_share as returning_customer_share_of_retention

from {{ ref('fct_kpi_months') }} as months
full outer join {{ ref('fct_customer_retention_months') }} as retention
    on months.month_start = retention.month_start
where
    coalesce(months.is_complete, true)
    -- The figures begin with the first sale, retention with the first purchase.
    and (retention.month_start is not null or months.active_customers > 0)
    and (
        months.active_customers is distinct from retention.active_customers
        or months.new_customers is distinct from retention.new_customers
        or abs(months.returning_customer_share - retention.returning_customer_share) > 1e-12
    )

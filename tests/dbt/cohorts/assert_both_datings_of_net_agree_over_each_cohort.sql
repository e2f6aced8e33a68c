select
    cohort_month,
    segment_type,
    segment,
    {{ money_sum('net_order_dated_amount') }} as net_order_dated_amount,
    {{ money_sum('net_refund_dated_amount') }} as net_refund_dated_amount

from {{ ref('fct_cohort_value') }}
group by 1, 2, 3
having {{ money_sum('net_order_dated_amount') }} <> {{ money_sum('net_refund_dated_amount') }}

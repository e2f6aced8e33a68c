{#- Ages at which curves are compared: months and spans of 30 days. -#}
{%- set ages = '(1, 3, 6, 12)' -%}

with

dictionary as (

    select * from {{ ref('dim_metrics') }}

),

purchase_variants as (

    select * from {{ ref('int_kpi__purchase_variants') }}

),

membership_variants as (

    select * from {{ ref('int_kpi__membership_variants') }}

),

kpi_months as (

    select * from {{ ref('fct_kpi_months') }}

),

retention_months as (

    select
        *,
        lag(active_customers) over (order by month_start asc nulls last) as active_customers_before,
        lag(active_customers, 12) over (order by month_start asc nulls last) as active_customers_year_before
    from {{ ref('fct_customer_retention_months') }}

),

membership_months as (

    select
        month_start,
        is_complete,
        sum(opening_members) as opening_members,
        sum(new_members + trial_conversion_members) as new_members,
        sum(churned_opening_members) as churned_opening_members,
        sum(churn_voluntary_members + churn_involuntary_members) as churned_members,
        sum(opening_mrr_amount) as opening_mrr,
        sum(kept_mrr_amount) as kept_mrr,
        sum(grown_mrr_amount) as grown_mrr,
        -- Losses are negative there.
        sum(opening_mrr_amount + churn_voluntary_mrr_amount + churn_involuntary_mrr_amount + contraction_mrr_amount
            + expansion_mrr_amount + reactivation_mrr_amount) as mrr_with_reactivation
    from {{ ref('fct_membership_months') }}
    group by 1, 2

),

cells as (

    select * from {{ ref('fct_cohort_retention') }}
    where segment_type = 'all'

),

pooled as (

    select * from {{ ref('fct_cohort_retention_pooled') }}
    where segment_type = 'all' and retention_type = 'bounded' and age_unit = 'month' and age in {{ ages }}

),

complete_buckets as (

    select
        age,
        avg(retention_rate) as mean_rate,
        count(retention_rate) as cohorts
    from cells
    where retention_type = 'bounded' and age_unit = 'month' and age in {{ ages }} and not is_left_truncated
    group by 1

),

customer_value as (

    select * from {{ ref('fct_customer_value') }}

),

worth as (

    select
        count(*) as customers,
        count(residual_clv_365d_amount) as forecast_customers,
        count(p_alive) as customers_with_p_alive,
        sum(historic_clv_amount) as historic,
        sum(gross_amount) as gross,
        sum(net_amount) as net,
        sum(residual_clv_365d_amount) as residual,
        sum(case when residual_clv_365d_amount is not null then total_clv_amount end) as total,
        sum(1 - p_alive) as not_alive
    from customer_value

),

churn as (

    select
        count(*) as customers,
        count(p_churn_90d) as scored_customers,
        count(*) filter (where is_lapsed_fixed) as lapsed,
        count(*) filter (where days_since_last_order > 7) as silent_7_days,
        count(*) filter (where days_since_last_order > 90) as silent_90_days,
        count(*) filter (where is_lapsed_personal) as lapsed_personal,
        sum(p_churn_90d) as expected_churn
    from {{ ref('fct_customer_churn') }}

),

sales as (

    select
        orders.*,
        customer_value.customer_id is not null as is_of_a_customer
    from {{ ref('fct_orders') }} as orders
    left join customer_value on orders.customer_id = customer_value.customer_id
    where orders.is_sale

),

sales_per_month as (

    select
        {{ month_of('ordered_date') }} as month_start,
        count(*) as sales,
        count(*) filter (where is_valid_order) as valid_orders,
        sum(case when is_valid_order then net_amount else 0 end) as valid_net,
        not bool_or(is_return_window_open) and {{ end_of_month(month_of('min(ordered_date)')) }} <= {{ as_of_date() }}
            as is_mature
    from sales
    group by 1

),

charged as (

    select
        coalesce(sum(total_amount), 0) as charged,
        coalesce(sum(net_amount - cogs_amount - shipping_cost_amount - payment_fee_amount - return_cost_amount), 0)
            as net_less_costs
    from sales
    where is_of_a_customer

),

paid_back as (

    select coalesce(sum(refunds.refund_amount + refunds.tax_amount + refunds.shipping_amount), 0) as paid_back
    from {{ ref('fct_refunds') }} as refunds
    inner join sales on refunds.order_id = sales.order_id
    where sales.is_of_a_customer

),

payments_less_refunds as (

    select
        worth.customers,
        charged.charged - paid_back.paid_back as payments,
        charged.net_less_costs
    from worth
    cross join charged
    cross join paid_back

),

payment_rows as (

    select
        {{ month_of('processed_date') }} as month_start,
        count(*) as row_count,
        sum(payment_amount) as amount
    from {{ ref('fct_payments') }}
    where payment_status = 'success' and payment_kind in ('sale', 'capture') and paid_for = 'order'
    group by 1

),

orders_returned as (

    select
        {{ month_of('ordered_date') }} as month_start,
        count(distinct order_id) as returned_orders
    from {{ ref('fct_returns') }}
    group by 1

),

orders_of_returns as (

    select
        sales_per_month.month_start,
        sales_per_month.sales,
        sales_per_month.is_mature,
        coalesce(orders_returned.returned_orders, 0) as returned_orders
    from sales_per_month
    left join orders_returned on sales_per_month.month_start = orders_returned.month_start
    where (select count(*) from orders_returned) > 0

),

return_months as (

    select * from {{ ref('fct_return_rate_months') }}
    where breakdown = 'all'

),

parcels as (

    select
        {{ month_of('delivered_date') }} as month_start,
        count(is_promise_kept) as promised,
        count(*) filter (where is_promise_kept) as kept,
        count(*) filter (where delivered_date <= coalesce(latest_promised_date, promised_date)) as kept_latest
    from {{ ref('fct_deliveries') }}
    where delivered_date is not null and is_promise_kept is not null
    group by 1

),

readings as (

    select * from purchase_variants
    union all
    select * from membership_variants
    {% for variant, numerator, denominator in [
        ('both_months', 'retained_customers', 'active_customers_before'),
        ('year_over_year', 'retained_customers_year_over_year', 'active_customers_year_before'),
        ('end_minus_new', 'active_customers - new_customers', 'active_customers_before'),
    ] -%}
    union all
    {{ metric_reading('customer_retention_rate', variant, 'share', 'retention_months', 'month', 'month_start',
        numerator, denominator, is_mature='is_mature') }}
    {% endfor -%}
    {% for metric, variant, numerator, denominator in [
        ('membership_churn', 'ended_of_opening', 'churned_opening_members', 'opening_members'),
        ('membership_churn', 'over_active_and_new', 'churned_members', 'opening_members + new_members'),
        ('gross_revenue_retention', 'opening_members', 'kept_mrr', 'opening_mrr'),
        ('net_revenue_retention', 'opening_members', 'grown_mrr', 'opening_mrr'),
        ('net_revenue_retention', 'with_reactivation', 'mrr_with_reactivation', 'opening_mrr'),
        ('net_revenue_retention', 'least_of_two_months', 'kept_mrr', 'opening_mrr'),
    ] -%}
    union all
    {{ metric_reading(metric, variant, 'share', 'membership_months', 'month', 'month_start', numerator, denominator,
        is_mature='is_complete') }}
    {% endfor -%}
    {% for variant, age_unit, which in [
        ('bounded', 'month', ' and age in ' ~ ages), ('rolling', 'month', ' and age in ' ~ ages), ('bracket', 'days', ''),
    ] -%}
    union all
    {{ metric_reading('cohort_retention', variant, 'share', 'cells', 'cohort_month', 'cohort_month', 'retained_customers',
        'eligible_customers', age_unit, 'age', is_mature='is_mature',
        where="retention_type = '" ~ variant ~ "' and age_unit = '" ~ age_unit ~ "'" ~ which) }}
    {% endfor -%}
    {#- What each tool writes above its column "1", in days and months of ours. -#}
    {% for variant, retention_type, age_unit, age in [
        ('calendar_months', 'bounded', 'month', 1),
        ('from_one', 'bounded', 'month', 0),
        ('30_days', 'bounded', '30_days', 1),
        ('30_to_60_days', 'bounded', '30_days', 1),
        ('day_and_30_days', 'bracket', 'days', 1),
    ] -%}
    union all
    {{ metric_reading('cohort_age', variant, 'share', 'cells', 'cohort_month', 'cohort_month', 'retained_customers',
        'eligible_customers', 'column', 1, is_mature='is_mature',
        where="retention_type = '" ~ retention_type ~ "' and age_unit = '" ~ age_unit ~ "' and age = " ~ age) }}
    {% endfor -%}
    {% for variant, where in [
        ('weighted_mature', "method = 'weighted'"), ('fixed_panel', "method = 'fixed_panel' and panel_age = 12"),
    ] -%}
    union all
    {{ metric_reading('pooled_curve', variant, 'share', 'pooled', 'night', as_of_date(), 'retained_customers',
        'eligible_customers', 'month', 'age', is_mature='is_mature', where=where) }}
    {% endfor -%}
    union all
    {{ metric_reading('pooled_curve', 'complete_buckets', 'share', 'complete_buckets', 'night', as_of_date(),
        'mean_rate * cohorts', 'cohorts', 'month', 'age', is_mature='cohorts > 0') }}
    {% for metric, variant, relation, numerator, denominator in [
        ('lapsed_fixed_window', 'lapse_days', 'churn', 'lapsed', 'customers'),
        ('lapsed_fixed_window', '7_days', 'churn', 'silent_7_days', 'customers'),
        ('lapsed_fixed_window', '90_days', 'churn', 'silent_90_days', 'customers'),
        ('lapsed_personal_window', 'three_cycles', 'churn', 'lapsed_personal', 'customers'),
        ('churn_probability', '90_days', 'churn', 'expected_churn', 'scored_customers'),
        ('churn_probability', 'one_minus_p_alive', 'worth', 'not_alive', 'customers_with_p_alive'),
    ] -%}
    union all
    {{ metric_reading(metric, variant, 'share', relation, 'night', as_of_date(), numerator, denominator,
        is_mature=denominator ~ ' > 0', where=denominator ~ ' > 0') }}
    {% endfor -%}
    {% for metric, variant, relation, numerator, denominator in [
        ('clv_historic', 'contribution_margin', 'worth', 'historic', 'customers'),
        ('clv_historic', 'gross', 'worth', 'gross', 'customers'),
        ('clv_historic', 'net', 'worth', 'net', 'customers'),
        ('clv_historic', 'payments', 'payments_less_refunds', 'payments', 'customers'),
        ('clv_historic', 'net_less_costs', 'payments_less_refunds', 'net_less_costs', 'customers'),
        ('clv_predicted', 'residual_365d', 'worth', 'residual', 'forecast_customers'),
        ('clv_predicted', 'total', 'worth', 'total', 'forecast_customers'),
    ] -%}
    union all
    {{ metric_reading(metric, variant, 'money per customer', relation, 'night', as_of_date(), numerator, denominator,
        is_mature=denominator ~ ' > 0', where=denominator ~ ' > 0') }}
    {% endfor -%}
    {% for dating in ['order_dated', 'refund_dated'] -%}
    union all
    {{ metric_reading('net_revenue', dating, 'money', 'kpi_months', 'month', 'month_start', 'net_' ~ dating ~ '_amount',
        is_mature='is_complete') }}
    {% endfor -%}
    union all
    {{ metric_reading('average_order_value', 'net_per_valid_order', 'money per order', 'sales_per_month', 'month',
        'month_start', 'valid_net', 'valid_orders') }}
    union all
    {{ metric_reading('average_order_value', 'payment_rows', 'money per order', 'payment_rows', 'month', 'month_start',
        'amount', 'row_count') }}
    {% for variant, numerator, denominator in [
        ('units', 'returned_units', 'delivered_units'), ('value', 'returned_amount', 'delivered_amount'),
    ] -%}
    union all
    {{ metric_reading('return_rate', variant, 'share', 'return_months', 'month', 'delivery_month', numerator, denominator,
        is_mature='is_mature') }}
    {% endfor -%}
    union all
    {{ metric_reading('return_rate', 'orders', 'share', 'orders_of_returns', 'month', 'month_start', 'returned_orders',
        'sales', is_mature='is_mature') }}
    {% for variant, numerator in [('first_promise', 'kept'), ('latest_promise', 'kept_latest')] -%}
    union all
    {{ metric_reading('promise_kept', variant, 'share', 'parcels', 'month', 'month_start', numerator, 'promised') }}
    {% endfor %}
),

final as (

    select
        -- keys
        readings.metric,
        readings.variant,
        readings.period_type,
        readings.period_start,
        readings.age_unit,
        readings.age,

        -- measures: nothing is told of a period that is not over
        case when readings.is_mature then readings.numerator end as numerator,
        case when readings.is_mature then readings.denominator end as denominator,
        case
            when not readings.is_mature then null
            when readings.is_plain then readings.numerator
            else {{ ratio('readings.numerator', 'readings.denominator') }}
        end as value,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        readings.unit,
        dictionary.used_by as anchor,
        dictionary.definition,

        -- flags
        coalesce(dictionary.is_default, false) as is_default,
        readings.is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from readings
    left join dictionary on readings.metric = dictionary.metric and readings.variant = dictionary.variant

)

select * from final

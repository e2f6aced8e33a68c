{{ config(materialized='view') }}

{#- By which day and by which month (age, from 0) a second purchase counts, where readings of one thing are compared. -#}
{%- set repeat_days = 90 -%}
{%- set repeat_month = 3 -%}

with

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

orders as (

    select * from {{ ref('int_orders__valued') }}
    where is_sale and not is_exchange and gross_amount > 0

),

orders_per_month as (

    select
        {{ month_of('ordered_date') }} as period_start,
        cast(count(*) as bigint) as orders,
        cast(count(*) filter (where gross_amount - discount_amount - refund_amount > 0) as bigint) as net_positive_orders
    from orders
    group by 1

),

customer_months as (

    select
        ordered_month as period_start,
        customer_id,
        count(*) as occasions,
        sum(order_count) as orders,
        min(occasion_number) as first_occasion,
        max(occasion_number) as last_occasion
    from occasions
    group by 1, 2

),

months as (

    select
        period_start,
        cast(count(*) as bigint) as customers,
        cast(sum(occasions) as bigint) as occasions,
        cast(sum(orders) as bigint) as orders,
        cast(count(*) filter (where first_occasion = 1) as bigint) as new_customers,
        cast(count(*) filter (where orders >= 2) as bigint) as customers_with_two_orders,
        cast(count(*) filter (where first_occasion > 1 or orders >= 2) as bigint) as customers_with_an_earlier_order,
        cast(count(*) filter (where first_occasion <= 2 and last_occasion >= 2) as bigint) as second_occasion_customers,
        {{ end_of_month('period_start') }} <= {{ as_of_date() }} as is_complete
    from customer_months
    group by 1

),

so_far as (

    select
        *,
        sum(new_customers) over months_so_far as customers_so_far,
        sum(second_occasion_customers) over months_so_far as repeat_customers_so_far
    from months
    window months_so_far as (
        order by period_start asc nulls last rows between unbounded preceding and current row
    )

),

-- A cohort by its second purchase, counted in occasions (the shop's day) and in orders (also two on the first day).
cohorts as (

    select
        cohort_month as period_start,
        cast(count(*) filter (where occasion_number = 1) as bigint) as customers,
        cast(count(*) filter (where occasion_number = 2 and age_days <= {{ repeat_days }}) as bigint) as second_by_day,
        cast(count(distinct case
            when occasion_number = 1 and order_count >= 2 then customer_id
            when occasion_number = 2 and age_month <= {{ repeat_month }} then customer_id
        end) as bigint) as two_orders_by_month,
        cast(count(distinct case
            when occasion_number = 1 and order_count >= 2 then customer_id
            when occasion_number = 2 then customer_id
        end) as bigint) as two_orders_so_far
    from occasions
    where occasion_number <= 2
    group by 1

),

final as (

    {{ metric_reading('valid_order', 'net_positive', 'orders', 'orders_per_month', 'month', 'period_start', 'net_positive_orders') }}
    union all
    {{ metric_reading('valid_order', 'incl_fully_refunded', 'orders', 'orders_per_month', 'month', 'period_start', 'orders') }}
    union all
    {{ metric_reading('purchase_occasion', 'shop_day', 'purchases', 'months', 'month', 'period_start', 'occasions') }}
    union all
    {{ metric_reading('purchase_occasion', 'order', 'purchases', 'months', 'month', 'period_start', 'orders') }}
    union all
    {{ metric_reading('repeat_rate', 'cohort_90d', 'share', 'cohorts', 'month', 'period_start', 'second_by_day', 'customers',
        is_mature=add_days(end_of_month('period_start'), repeat_days) ~ ' <= ' ~ as_of_date()) }}
    union all
    {{ metric_reading('repeat_rate', 'within_window', 'share', 'months', 'month', 'period_start',
        'customers_with_two_orders', 'customers', is_mature='is_complete') }}
    union all
    {{ metric_reading('repeat_rate', 'whole_history', 'share', 'months', 'month', 'period_start',
        'customers_with_an_earlier_order', 'customers', is_mature='is_complete') }}
    union all
    {{ metric_reading('repeat_rate', 'lifetime', 'share', 'so_far', 'month', 'period_start',
        'repeat_customers_so_far', 'customers_so_far', is_mature='is_complete') }}
    union all
    {{ metric_reading('returning_customer_share', 'earlier_order', 'share', 'months', 'month', 'period_start',
        'customers - new_customers', 'customers', is_mature='is_complete') }}
    union all
    {{ metric_reading('repurchase_rate', 'by_day', 'share', 'cohorts', 'cohort_month', 'period_start',
        'second_by_day', 'customers', 'days', repeat_days,
        is_mature=add_days(end_of_month('period_start'), repeat_days) ~ ' <= ' ~ as_of_date()) }}
    union all
    {{ metric_reading('repurchase_rate', 'two_purchases_by_month', 'share', 'cohorts', 'cohort_month', 'period_start',
        'two_orders_by_month', 'customers', 'month', repeat_month,
        is_mature=add_days(add_months('period_start', repeat_month + 1), -1) ~ ' <= ' ~ as_of_date()) }}
    union all
    -- To this day, whatever the age: the tool that counts so waits for nobody.
    {{ metric_reading('repurchase_rate', 'one_more_order', 'share', 'cohorts', 'cohort_month', 'period_start',
        'two_orders_so_far', 'customers') }}

)

select * from final

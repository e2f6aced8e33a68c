with

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

data_window as (

    select * from {{ ref('int_purchases__data_window') }}

),

summary as (

    select
        customer_id,
        cast(count(*) as bigint) as occasion_count,
        cast(sum(order_count) as bigint) as order_count,
        {{ money_sum('gross_amount') }} as gross_amount,
        {{ money_sum('discount_amount') }} as discount_amount,
        {{ money_sum('net_amount') }} as net_amount,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount,
        cast(median(days_since_previous) as double) as median_days_between_orders,
        min_by(channel, ordered_date) as first_channel,
        -- The first country that is known: the filter keeps both engines from choosing an earlier day without one.
        min_by(country_code, ordered_date) filter (where country_code is not null) as country_code,
        bool_or(is_promo_order and occasion_number = 1) as is_first_order_promo,
        min(first_ordered_date) as first_ordered_date,
        min(first_ordered_at) as first_ordered_at,
        max(ordered_date) as last_ordered_date,
        min(cohort_month) as cohort_month,
        -- spend per occasion after the first, where money stayed with the shop
        {{ money_sum('case when occasion_number > 1 and net_amount > 0 then net_amount else 0 end') }} as repeat_net_amount,
        cast(count(*) filter (where occasion_number > 1 and net_amount > 0) as bigint) as repeat_value_count

    from occasions
    group by 1

),

final as (

    select
        summary.*,
        {{ days_between('summary.last_ordered_date', 'data_window.as_of_date') }} as recency_days,
        {{ days_between('summary.first_ordered_date', 'data_window.as_of_date') }} as age_days,
        summary.first_ordered_date < data_window.first_untruncated_date as is_left_truncated,
        data_window.as_of_date

    from summary
    cross join data_window

)

select * from final

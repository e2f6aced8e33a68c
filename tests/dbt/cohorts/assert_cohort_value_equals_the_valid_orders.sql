with

orders as (

    select
        cast(count(*) as bigint) as order_count,
        {{ money_sum('net_amount') }} as net_amount,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount
    from {{ ref('int_orders__valued') }}
    where is_valid_order and customer_id is not null

),

cohort_value as (

    select
        segment_type,
        cast(sum(order_count) as bigint) as order_count,
        {{ money_sum('net_order_dated_amount') }} as net_order_dated_amount,
        {{ money_sum('net_refund_dated_amount') }} as net_refund_dated_amount,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount
    from {{ ref('fct_cohort_value') }}
    group by 1

),

segment_types as (

    select 'all' as segment_type
    union all
    select 'first_channel' as segment_type
    union all
    select 'country' as segment_type

),

final as (

    select
        segment_types.segment_type,
        orders.order_count,
        cohort_value.order_count as order_count_of_cohorts,
        orders.net_amount,
        cohort_value.net_order_dated_amount,
        cohort_value.net_refund_dated_amount,
        orders.contribution_margin_amount,
        cohort_value.contribution_margin_amount as contribution_margin_amount_of_cohorts

    from segment_types
    cross join orders
    left join cohort_value on segment_types.segment_type = cohort_value.segment_type
    where
        orders.order_count <> coalesce(cohort_value.order_count, 0)
        or orders.net_amount <> coalesce(cohort_value.net_order_dated_amount, 0)
        or orders.net_amount <> coalesce(cohort_value.net_refund_dated_amount, 0)
        or orders.contribution_margin_amount <> coalesce(cohort_value.contribution_margin_amount, 0)

)

select * from final

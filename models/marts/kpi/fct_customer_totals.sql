with

customers as (

    select * from {{ ref('dim_customers') }}

),

segments as (

    select * from {{ ref('fct_customer_segments') }}

),

rfm as (

    select * from {{ ref('fct_customer_rfm') }}

),

customer_values as (

    select * from {{ ref('fct_customer_value') }}

),

churn as (

    select * from {{ ref('fct_customer_churn') }}

),

final as (

    select
        -- keys
        coalesce(customers.country_code, 'unknown') as country_code,
        coalesce(customers.first_channel, 'unknown') as first_channel,
        customers.is_member_now,
        segments.lifecycle_stage,
        segments.value_tier,
        coalesce(segments.risk_band, 'unknown') as risk_band,
        rfm.recency_score,
        rfm.frequency_monetary_score,

        -- attributes: a group follows from its two scores
        max(rfm.rfm_group) as rfm_group,
        max(customers.currency_code) as currency_code,

        -- measures
        cast(count(*) as bigint) as customers,
        cast(sum(customers.occasion_count) as bigint) as occasion_count,
        cast(sum(case when churn.is_one_time_buyer then 1 else 0 end) as bigint) as one_time_buyers,
        cast(sum(case when churn.is_lapsed_fixed then 1 else 0 end) as bigint) as lapsed_customers,
        cast(sum(customer_values.historic_clv_amount) as decimal(18, 2)) as historic_clv_amount,
        cast(sum(customer_values.residual_clv_365d_amount) as decimal(18, 2)) as residual_clv_365d_amount,
        sum(customer_values.expected_orders_365d) as expected_orders_365d,
        sum(churn.p_churn_90d) as expected_churned_90d,
        cast(count(churn.p_churn_90d) as bigint) as scored_customers,

        -- times
        {{ as_of_date() }} as as_of_date

    from segments
    inner join customers on segments.customer_id = customers.customer_id
    inner join rfm on segments.customer_id = rfm.customer_id
    inner join customer_values on segments.customer_id = customer_values.customer_id
    inner join churn on segments.customer_id = churn.customer_id
    group by 1, 2, 3, 4, 5, 6, 7, 8

)

select * from final

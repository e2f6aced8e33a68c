{#- As many as a person reads in a list; the whole lists are in fct_customer_segments. -#}
{%- set listed = 100 -%}

with

customers as (

    select * from {{ ref('dim_customers') }}

),

segments as (

    select * from {{ ref('fct_customer_segments') }}

),

customer_values as (

    select * from {{ ref('fct_customer_value') }}

),

churn as (

    select * from {{ ref('fct_customer_churn') }}

),

recommendations as (

    select * from {{ ref('fct_product_recommendations') }}
    where recommendation_rank = 1

),

joined as (

    select
        segments.customer_id,
        coalesce(customers.country_code, 'unknown') as country_code,
        coalesce(customers.first_channel, 'unknown') as first_channel,
        customers.is_member_now,
        segments.rfm_group,
        coalesce(segments.risk_band, 'unknown') as risk_band,
        segments.lifecycle_stage,
        segments.value_tier,
        customer_values.occasion_count,
        customer_values.historic_clv_amount,
        customer_values.residual_clv_365d_amount,
        customer_values.currency_code,
        churn.p_churn_90d,
        churn.reason_1 as churn_reason,
        churn.last_ordered_date,
        recommendations.product_title as recommended_product_title

    from segments
    inner join customers on segments.customer_id = customers.customer_id
    inner join customer_values on segments.customer_id = customer_values.customer_id
    inner join churn on segments.customer_id = churn.customer_id
    left join recommendations on segments.customer_id = recommendations.customer_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by country_code, first_channel, is_member_now, rfm_group, risk_band
            order by residual_clv_365d_amount desc nulls last, customer_id asc
        ) as rank_in_group
    from joined

),

final as (

    select
        -- keys
        customer_id,

        -- attributes
        country_code,
        first_channel,
        is_member_now,
        rfm_group,
        risk_band,
        cast(rank_in_group as integer) as rank_in_group,
        lifecycle_stage,
        value_tier,
        churn_reason,
        recommended_product_title,

        -- measures
        occasion_count,
        historic_clv_amount,
        residual_clv_365d_amount,
        currency_code,
        p_churn_90d,

        -- times
        last_ordered_date,
        {{ as_of_date() }} as as_of_date

    from ranked
    where rank_in_group <= {{ listed }}

)

select * from final

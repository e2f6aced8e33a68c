-- A customer who is not listed, though a listed one of the same country, channel, membership, group and band is expected to bring less.
with

listed as (

    select
        country_code,
        first_channel,
        is_member_now,
        rfm_group,
        risk_band,
        count(*) as customers,
        min(residual_clv_365d_amount) as lowest_amount
    from {{ ref('fct_top_customers') }}
    group by 1, 2, 3, 4, 5

),

outside as (

    select
        segments.customer_id,
        coalesce(customers.country_code, 'unknown') as country_code,
        coalesce(customers.first_channel, 'unknown') as first_channel,
        customers.is_member_now,
        segments.rfm_group,
        coalesce(segments.risk_band, 'unknown') as risk_band,
        customer_values.residual_clv_365d_amount

    from {{ ref('fct_customer_segments') }} as segments
    inner join {{ ref('dim_customers') }} as customers on segments.customer_id = customers.customer_id
    inner join {{ ref('fct_customer_value') }} as customer_values
        on segments.customer_id = customer_values.customer_id
    left join {{ ref('fct_top_customers') }} as top_customers
        on segments.customer_id = top_customers.customer_id
    where top_customers.customer_id is null

)

select
    outside.customer_id,
    outside.country_code,
    outside.first_channel,
    outside.is_member_now,
    outside.rfm_group,
    outside.risk_band,
    outside.residual_clv_365d_amount,
    listed.lowest_amount,
    listed.customers

from outside
left join listed
    on
        outside.country_code = listed.country_code
        and outside.first_channel = listed.first_channel
        and outside.is_member_now = listed.is_member_now
        and outside.rfm_group = listed.rfm_group
        and outside.risk_band = listed.risk_band
where
    listed.customers is null
    or listed.customers < 100
    or outside.residual_clv_365d_amount > listed.lowest_amount

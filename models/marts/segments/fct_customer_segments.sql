with

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

stages as (

    select * from {{ ref('int_lifecycle__current') }}

),

categories as (

    select * from {{ ref('int_purchases__categories') }}

),

rfm as (

    select * from {{ ref('fct_customer_rfm') }}

),

scores as (

    select * from {{ ref('stg_scores_customer_churn') }}
    where horizon_days = {{ var('churn_horizon_days') }}

),

orders as (

    select * from {{ ref('int_orders__valued') }}
    where is_valid_order and customer_id is not null

),

promo_shares as (

    select
        customer_id,
        {{ ratio('count(*) filter (where is_promo_order)', 'count(*)') }} as promo_order_share
    from orders
    group by 1

),

ranked as (

    select
        customer_id,
        percent_rank() over (order by contribution_margin_amount asc nulls last) as margin_rank
    from customers

),

final as (

    select
        -- keys
        customers.customer_id,

        -- measures
        promo_shares.promo_order_share,
        categories.top_category_share,

        -- attributes
        stages.lifecycle_stage,
        case
            when ranked.margin_rank >= 0.9 then 'top'
            when ranked.margin_rank >= 0.5 then 'high'
            when ranked.margin_rank >= 0.2 then 'middle'
            else 'low'
        end as value_tier,
        {{ risk_band('scores.p_churn') }} as risk_band,
        rfm.rfm_group,
        -- One order says nothing about habits.
        case
            when customers.order_count < 2 then 'unknown'
            when promo_shares.promo_order_share >= 0.75 then 'promotion_buyer'
            when promo_shares.promo_order_share >= 0.25 then 'mixed'
            else 'full_price_buyer'
        end as price_sensitivity,
        categories.top_category as category_affinity,

        -- times
        {{ as_of_date() }} as as_of_date

    from customers
    inner join stages on customers.customer_id = stages.customer_id
    inner join ranked on customers.customer_id = ranked.customer_id
    inner join rfm on customers.customer_id = rfm.customer_id
    inner join promo_shares on customers.customer_id = promo_shares.customer_id
    left join categories on customers.customer_id = categories.customer_id
    left join scores on customers.customer_id = scores.customer_id

)

select * from final

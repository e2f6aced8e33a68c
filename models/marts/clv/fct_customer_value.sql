with

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

-- Money of every sale: what a fully refunded order or an exchange cost is the customer's too.
sales as (

    select * from {{ ref('int_customers__sales') }}

),

member_money as (

    select * from {{ ref('int_clv__member_money') }}

),

scores as (

    select * from {{ ref('stg_scores_customer_clv') }}

),

memberships as (

    select
        customer_id,
        {{ money_sum('membership_value_365d_amount') }} as membership_value_365d_amount
    from {{ ref('stg_scores_membership_value') }}
    group by 1

),

valued as (

    select
        customers.customer_id,
        customers.occasion_count,
        sales.gross_amount,
        sales.net_amount,
        sales.contribution_margin_amount,
        coalesce(member_money.membership_fee_amount, 0) as membership_fee_amount,
        coalesce(member_money.benefit_cost_amount, 0) as benefit_cost_amount,
        cast(
            sales.contribution_margin_amount
            + coalesce(member_money.membership_fee_amount, 0)
            - coalesce(member_money.benefit_cost_amount, 0)
            as decimal(18, 2)
        ) as historic_clv_amount,
        scores.p_alive,
        scores.expected_orders_365d,
        scores.expected_order_value_amount,
        scores.orders_365d_p10,
        scores.orders_365d_p90,
        scores.residual_clv_365d_amount,
        scores.residual_clv_365d_p10_amount,
        scores.residual_clv_365d_p90_amount,
        memberships.membership_value_365d_amount,
        scores.order_value_model_name,
        scores.level,
        scores.model_name,
        scores.model_version,
        scores.scored_as_of_date

    from customers
    inner join sales on customers.customer_id = sales.customer_id
    left join member_money on customers.customer_id = member_money.customer_id
    left join scores on customers.customer_id = scores.customer_id
    left join memberships on customers.customer_id = memberships.customer_id

),

ranked as (

    select
        *,
        percent_rank() over (order by residual_clv_365d_amount asc nulls first) as residual_rank
    from valued

),

final as (

    select
        -- keys
        customer_id,

        -- measures
        occasion_count,
        gross_amount,
        net_amount,
        contribution_margin_amount,
        cast(membership_fee_amount as decimal(18, 2)) as membership_fee_amount,
        cast(benefit_cost_amount as decimal(18, 2)) as benefit_cost_amount,
        historic_clv_amount,
        p_alive,
        expected_orders_365d,
        orders_365d_p10,
        orders_365d_p90,
        expected_order_value_amount,
        residual_clv_365d_amount,
        residual_clv_365d_p10_amount,
        residual_clv_365d_p90_amount,
        membership_value_365d_amount,
        -- Who is no member has no membership to come: that is zero and not unknown.
        cast(
            historic_clv_amount + residual_clv_365d_amount + coalesce(membership_value_365d_amount, 0)
            as decimal(18, 2)
        ) as total_clv_amount,
        case when residual_clv_365d_amount is not null
            then cast(1 + least(9, floor(10 * residual_rank)) as integer)
        end as residual_decile,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        order_value_model_name,
        level,
        model_name,
        model_version,

        -- times
        scored_as_of_date,
        {{ as_of_date() }} as as_of_date

    from ranked

)

select * from final

-- Every sum of the totals against the table of customers that it comes from; a customer lost or doubled by a join
-- shows as a difference.
with

totals as (

    select
        cast(sum(customers) as bigint) as customers,
        cast(sum(historic_clv_amount) as decimal(18, 2)) as historic_clv_amount,
        cast(sum(residual_clv_365d_amount) as decimal(18, 2)) as residual_clv_365d_amount,
        cast(sum(lapsed_customers) as bigint) as lapsed_customers
    from {{ ref('fct_customer_totals') }}

),

customer_values as (

    select
        cast(count(*) as bigint) as customers,
        cast(sum(historic_clv_amount) as decimal(18, 2)) as historic_clv_amount,
        cast(sum(residual_clv_365d_amount) as decimal(18, 2)) as residual_clv_365d_amount
    from {{ ref('fct_customer_value') }}

),

churn as (

    select cast(sum(case when is_lapsed_fixed then 1 else 0 end) as bigint) as lapsed_customers
    from {{ ref('fct_customer_churn') }}

)

select
    totals.customers,
    customer_values.customers as expected_customers,
    totals.historic_clv_amount,
    customer_values.historic_clv_amount as expected_historic_clv_amount,
    totals.residual_clv_365d_amount,
    customer_values.residual_clv_365d_amount as expected_residual_clv_365d_amount,
    totals.lapsed_customers,
    churn.lapsed_customers as expected_lapsed_customers

from totals
cross join customer_values
cross join churn
where
    totals.customers <> customer_values.customers
    or totals.historic_clv_amount <> customer_values.historic_clv_amount
    or totals.residual_clv_365d_amount <> customer_values.residual_clv_365d_amount
    or totals.lapsed_customers <> churn.lapsed_customers

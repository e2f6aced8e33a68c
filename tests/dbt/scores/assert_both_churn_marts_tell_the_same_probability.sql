with

customers as (

    select * from {{ ref('fct_customer_churn') }}

),

horizons as (

    select * from {{ ref('fct_customer_churn_horizons') }}
    where horizon_days = {{ var('churn_horizon_days') }}

)

select
    customers.customer_id,
    customers.p_churn_90d,
    horizons.p_churn,
    customers.scored_as_of_date,
    horizons.scored_as_of_date as scored_as_of_date_of_horizon

from customers
full join horizons on customers.customer_id = horizons.customer_id
where
    customers.customer_id is null
    or customers.p_churn_90d is distinct from horizons.p_churn
    or customers.scored_as_of_date is distinct from horizons.scored_as_of_date

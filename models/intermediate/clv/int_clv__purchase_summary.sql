with

purchases as (

    select * from {{ ref('int_purchases__customers') }}

),

sales as (

    select * from {{ ref('int_customers__sales') }}

),

-- Margin of every sale over net of the purchases: the parcels of orders that came back are paid from those that stayed.
customers as (

    select
        purchases.customer_id,
        purchases.as_of_date,
        purchases.occasion_count,
        purchases.first_ordered_date,
        purchases.last_ordered_date,
        purchases.age_days,
        purchases.repeat_net_amount,
        purchases.repeat_value_count,
        purchases.net_amount,
        sales.contribution_margin_amount

    from purchases
    inner join sales on purchases.customer_id = sales.customer_id

),

shop as (

    select
        {{ ratio('sum(contribution_margin_amount)', 'sum(net_amount)') }} as margin_ratio,
        {{ ratio('sum(net_amount)', 'count(*)') }} as net_amount_per_customer
    from customers
    where net_amount > 0

),

final as (

    select
        -- keys
        customers.customer_id,
        customers.as_of_date,

        -- measures: the first purchase is not a repeat, so frequency starts at zero
        cast(customers.occasion_count - 1 as integer) as frequency,
        {{ days_between('customers.first_ordered_date', 'customers.last_ordered_date') }} as recency_days,
        customers.age_days,
        {{ ratio('customers.repeat_net_amount', 'customers.repeat_value_count') }} as mean_repeat_net_amount,
        cast(customers.repeat_value_count as integer) as repeat_value_count,
        -- A customer's own margin is noisy at first: it is pulled to the shop's by the weight of one average customer.
        case when customers.net_amount > 0 then
            (cast(customers.contribution_margin_amount as double) + shop.margin_ratio * shop.net_amount_per_customer)
            / nullif(cast(customers.net_amount as double) + shop.net_amount_per_customer, 0)
            else shop.margin_ratio
        end as margin_ratio,
        customers.contribution_margin_amount as historic_margin_amount,

        -- business constants, for Python
        {{ var('churn_horizon_days') }} as churn_horizon_days,
        {{ var('clv_horizon_days') }} as clv_horizon_days,
        cast({{ var('yearly_discount_rate') }} as double) as yearly_discount_rate

    from customers
    cross join shop

)

select * from final

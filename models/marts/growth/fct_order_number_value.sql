with

orders as (

    select
        customer_id,
        order_number,
        net_amount,
        contribution_margin_amount,
        days_since_previous_order,
        case
            when order_number <= 4 then cast(order_number as {{ string_type() }})
            when order_number <= 9 then '5-9'
            else '10+'
        end as order_number_band,
        ordered_date
    from {{ ref('fct_orders') }}
    where is_valid_order and customer_id is not null

),

customers as (

    select customer_id
    from {{ ref('int_purchases__customers') }}
    where not is_left_truncated

),

-- What it cost to win the first orders and to bring the others, in the months in which both are known.
costs as (

    select
        {{ ratio('sum(acquisition_cost_amount)', 'sum(new_customers)') }} as cost_per_first_order,
        min(month_start) as first_month,
        max(month_start) as last_month,
        sum(retention_cost_amount) as retention_cost_amount
    from {{ ref('fct_acquisition_costs') }}
    where
        channel = 'all'
        and cost_per_new_customer_amount is not null
        and cost_per_retained_customer_amount is not null

),

repeat_orders as (

    select count(*) as repeat_orders
    from orders
    inner join costs
        on orders.ordered_date >= costs.first_month
        and orders.ordered_date < {{ add_months('costs.last_month', 1) }}
    where orders.order_number > 1

),

-- Who comes ten times was no ordinary customer at the first: each order stands beside the first one of the same customer.
compared as (

    select
        orders.*,
        first_orders.net_amount as first_net_amount,
        first_orders.contribution_margin_amount as first_contribution_margin_amount
    from orders
    inner join customers on orders.customer_id = customers.customer_id
    inner join orders as first_orders
        on orders.customer_id = first_orders.customer_id
        and first_orders.order_number = 1

),

summed as (

    select
        order_number_band,
        min(order_number) as lowest_order_number,
        cast(count(*) as bigint) as orders,
        cast(count(distinct customer_id) as bigint) as customers,
        avg(cast(net_amount as double)) as net_per_order,
        avg(cast(first_net_amount as double)) as first_net_per_order,
        avg(cast(contribution_margin_amount as double)) as margin_per_order,
        avg(cast(first_contribution_margin_amount as double)) as first_margin_per_order,
        cast(median(days_since_previous_order) as double) as median_days_since_previous_order
    from compared
    group by 1

),

final as (

    select
        -- keys
        summed.order_number_band,

        -- measures
        summed.orders,
        summed.customers,
        cast(round(summed.net_per_order, 2) as decimal(18, 2)) as average_order_value_amount,
        cast(round(summed.first_net_per_order, 2) as decimal(18, 2)) as same_customers_first_order_value_amount,
        cast(round(summed.margin_per_order, 2) as decimal(18, 2)) as margin_per_order_amount,
        cast(round(summed.first_margin_per_order, 2) as decimal(18, 2)) as same_customers_first_order_margin_amount,
        cast(round(
            case
                when summed.lowest_order_number = 1 then costs.cost_per_first_order
                else {{ ratio('costs.retention_cost_amount', 'repeat_orders.repeat_orders') }}
            end, 2
        ) as decimal(18, 2)) as marketing_cost_per_order_amount,
        summed.median_days_since_previous_order,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- times
        {{ as_of_date() }} as as_of_date

    from summed
    cross join costs
    cross join repeat_orders

)

select * from final

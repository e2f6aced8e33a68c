{%- set followed_days = 180 -%}

with

customers as (

    select * from {{ ref('int_returns__customers') }}

),

orders as (

    select * from {{ ref('int_orders__valued') }}
    where is_sale and customer_id is not null

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

-- All sales, and the fully refunded ones and the exchanges with them: leaving them out would make heavy returners look
-- good, since their costs are exactly there.
money as (

    select
        customer_id,
        {{ money_sum('net_amount') }} as net_amount,
        {{ money_sum('return_cost_amount') }} as return_cost_amount,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount

    from orders
    group by 1

),

valued as (

    select
        customers.*,
        money.net_amount,
        money.return_cost_amount,
        money.contribution_margin_amount,
        percent_rank() over (order by money.contribution_margin_amount asc nulls first) >= 0.9 as is_best_customer

    from customers
    inner join money on customers.customer_id = money.customer_id
    where customers.is_current

),

-- The groups as they were 180 days ago, and whether their members ordered since. Today's groups would already know it.
followed as (

    select
        customers.return_rate_decile,
        customers.main_reason_code,
        max(case when occasions.customer_id is not null then 1 else 0 end) as has_ordered_again

    from customers
    left join occasions
        on customers.customer_id = occasions.customer_id
        and occasions.ordered_date > customers.measured_date
        and occasions.ordered_date <= {{ add_days('customers.measured_date', followed_days) }}
    where not customers.is_current
    group by customers.customer_id, 1, 2

),

groups as (

    {% for reason in ["main_reason_code", "'all'"] -%}
    select
        return_rate_decile,
        {{ reason }} as main_reason_code,
        cast(count(*) as bigint) as customers,
        cast(sum(delivered_units) as bigint) as delivered_units,
        cast(sum(returned_units) as bigint) as returned_units,
        min(return_rate) as lowest_return_rate,
        max(return_rate) as highest_return_rate,
        {{ money_sum('net_amount') }} as net_amount,
        {{ money_sum('return_cost_amount') }} as return_cost_amount,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount,
        cast(count(*) filter (where is_best_customer) as bigint) as best_customers
    from valued
    group by 1, 2
    {{ 'union all' if not loop.last }}

    {% endfor %}
),

followed_groups as (

    {% for reason in ["main_reason_code", "'all'"] -%}
    select
        return_rate_decile,
        {{ reason }} as main_reason_code,
        cast(count(*) as bigint) as followed_customers,
        cast(sum(has_ordered_again) as bigint) as retained_customers
    from followed
    group by 1, 2
    {{ 'union all' if not loop.last }}

    {% endfor %}
),

final as (

    select
        -- keys
        groups.return_rate_decile,
        groups.main_reason_code,

        -- measures
        groups.customers,
        groups.delivered_units,
        groups.returned_units,
        {{ ratio('groups.returned_units', 'groups.delivered_units') }} as return_rate,
        groups.lowest_return_rate,
        groups.highest_return_rate,
        groups.net_amount,
        groups.return_cost_amount,
        groups.contribution_margin_amount,
        cast(round({{ ratio('groups.contribution_margin_amount', 'groups.customers') }}, 2) as decimal(18, 2))
            as contribution_margin_per_customer_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,
        followed_groups.followed_customers,
        {{ ratio('followed_groups.retained_customers', 'followed_groups.followed_customers') }}
            as next_180d_retention_rate,
        {{ ratio('groups.best_customers', 'groups.customers') }} as best_customer_share,

        -- times
        {{ as_of_date() }} as as_of_date

    from groups
    left join followed_groups
        on groups.return_rate_decile = followed_groups.return_rate_decile
        and groups.main_reason_code = followed_groups.main_reason_code

)

select * from final

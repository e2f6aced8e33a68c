{#- More months than any shop has traded; the data window ends the list. -#}
{%- set month_limit = 1200 -%}
{%- set repeat_days = 90 -%}

with

orders as (

    select * from {{ ref('fct_orders') }}
    where is_sale

),

refunds as (

    select * from {{ ref('fct_refunds') }}
    where is_sale

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

membership_months as (

    select * from {{ ref('fct_membership_months') }}

),

first_day as (

    select min(ordered_date) as first_date from orders

),

months as (

    select
        {{ add_months(month_of('first_day.first_date'), 'numbers.n') }} as month_start,
        last_day({{ add_months(month_of('first_day.first_date'), 'numbers.n') }}) as last_date

    from first_day
    inner join {{ numbers(month_limit) }} as numbers
        on numbers.n <= {{ months_between('first_day.first_date', as_of_date()) }}

),

orders_per_month as (

    select
        {{ month_of('ordered_date') }} as month_start,
        cast(count(*) as bigint) as sale_count,
        cast(count(*) filter (where is_valid_order) as bigint) as order_count,
        cast(count(*) filter (where is_valid_order and customer_id is not null) as bigint) as known_order_count,
        cast(sum(unit_count) as bigint) as unit_count,
        {{ money_sum('gross_amount') }} as gross_amount,
        {{ money_sum('discount_amount') }} as discount_amount,
        {{ money_sum('net_before_refunds_amount') }} as net_before_refunds_amount,
        {{ money_sum('net_refund_amount') }} as order_dated_refund_amount,
        {{ money_sum('net_amount') }} as net_order_dated_amount,
        {{ money_sum('case when is_valid_order then net_amount else 0 end') }} as valid_order_net_amount,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount,
        bool_or(is_return_window_open) as is_return_window_open

    from orders
    group by 1

),

refunds_per_month as (

    select
        {{ month_of('refunded_date') }} as month_start,
        {{ money_sum('net_refund_amount') }} as net_refund_amount

    from refunds
    group by 1

),

customers_per_month as (

    select
        ordered_month as month_start,
        cast(count(distinct customer_id) as bigint) as active_customers,
        cast(count(*) filter (where occasion_number = 1) as bigint) as new_customers

    from occasions
    group by 1

),

-- The second occasion decides, so each customer of the cohort counts once.
repeats_per_cohort as (

    select
        cohort_month as month_start,
        cast(count(*) as bigint) as repeat_customers_90d

    from occasions
    where occasion_number = 2 and age_days <= {{ repeat_days }}
    group by 1

),

members_per_month as (

    select
        month_start,
        cast(sum(new_members + trial_conversion_members) as bigint) as new_members,
        cast(sum(churn_voluntary_members + churn_involuntary_members) as bigint) as churned_members,
        cast(sum(closing_members) as bigint) as members

    from membership_months
    group by 1

),

-- A shop that delivers no memberships has an unknown number of members and not none.
delivered as (

    select count(*) > 0 as has_memberships from membership_months

),

final as (

    select
        -- keys
        months.month_start,

        -- measures: customers
        coalesce(customers_per_month.active_customers, 0) as active_customers,
        coalesce(customers_per_month.new_customers, 0) as new_customers,
        coalesce(customers_per_month.active_customers, 0) - coalesce(customers_per_month.new_customers, 0)
            as returning_customers,
        {{ ratio(
            'customers_per_month.active_customers - customers_per_month.new_customers',
            'customers_per_month.active_customers') }} as returning_customer_share,
        case when {{ add_days('months.last_date', repeat_days) }} <= {{ as_of_date() }} then
            {{ ratio('coalesce(repeats_per_cohort.repeat_customers_90d, 0)', 'customers_per_month.new_customers') }}
        end as repeat_rate_90d,

        -- measures: paying members
        case when delivered.has_memberships then coalesce(members_per_month.members, 0) end as members,
        case when delivered.has_memberships then coalesce(members_per_month.new_members, 0) end as new_members,
        case when delivered.has_memberships then coalesce(members_per_month.churned_members, 0) end as churned_members,

        -- measures: orders
        coalesce(orders_per_month.sale_count, 0) as sale_count,
        coalesce(orders_per_month.order_count, 0) as order_count,
        coalesce(orders_per_month.unit_count, 0) as unit_count,
        {{ ratio('orders_per_month.known_order_count', 'customers_per_month.active_customers') }} as orders_per_customer,
        cast(round(
            {{ ratio('orders_per_month.valid_order_net_amount', 'orders_per_month.order_count') }}, 2
        ) as decimal(18, 2)) as average_order_value_amount,

        -- measures: money
        cast(coalesce(orders_per_month.gross_amount, 0) as decimal(18, 2)) as gross_amount,
        cast(coalesce(orders_per_month.discount_amount, 0) as decimal(18, 2)) as discount_amount,
        cast(coalesce(orders_per_month.net_before_refunds_amount, 0) as decimal(18, 2)) as net_before_refunds_amount,
        cast(coalesce(orders_per_month.net_order_dated_amount, 0) as decimal(18, 2)) as net_order_dated_amount,
        cast(
            coalesce(orders_per_month.net_before_refunds_amount, 0) - coalesce(refunds_per_month.net_refund_amount, 0)
            as decimal(18, 2)
        ) as net_refund_dated_amount,
        cast(coalesce(refunds_per_month.net_refund_amount, 0) as decimal(18, 2)) as net_refund_amount,
        cast(coalesce(orders_per_month.contribution_margin_amount, 0) as decimal(18, 2)) as contribution_margin_amount,
        {{ ratio('orders_per_month.contribution_margin_amount', 'orders_per_month.net_order_dated_amount') }}
            as contribution_margin_rate,
        -- Of the month's own orders, so it is known only when none of them can come back any more.
        case when not orders_per_month.is_return_window_open and months.last_date <= {{ as_of_date() }} then
            {{ ratio('orders_per_month.order_dated_refund_amount', 'orders_per_month.net_before_refunds_amount') }}
        end as refund_rate,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        months.last_date <= {{ as_of_date() }} as is_complete,
        {{ add_days('months.last_date', repeat_days) }} <= {{ as_of_date() }} as is_repeat_rate_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from months
    cross join delivered
    left join members_per_month on months.month_start = members_per_month.month_start
    left join orders_per_month on months.month_start = orders_per_month.month_start
    left join refunds_per_month on months.month_start = refunds_per_month.month_start
    left join customers_per_month on months.month_start = customers_per_month.month_start
    left join repeats_per_cohort on months.month_start = repeats_per_cohort.month_start

)

select * from final

{#- More days than any shop has traded; the data window ends the list. -#}
{%- set day_limit = 36600 -%}

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

-- The first sale and not the first valid order: a day whose only order was refunded later has figures too.
first_day as (

    select min(ordered_date) as first_date from orders

),

days as (

    select {{ add_days('first_day.first_date', 'numbers.n') }} as calendar_date
    from first_day
    inner join {{ numbers(day_limit) }} as numbers
        on numbers.n <= {{ days_between('first_day.first_date', as_of_date()) }}

),

orders_per_day as (

    select
        ordered_date as calendar_date,
        cast(count(*) as bigint) as sale_count,
        cast(count(*) filter (where is_valid_order) as bigint) as order_count,
        cast(sum(unit_count) as bigint) as unit_count,
        {{ money_sum('gross_amount') }} as gross_amount,
        {{ money_sum('discount_amount') }} as discount_amount,
        {{ money_sum('net_before_refunds_amount') }} as net_before_refunds_amount,
        {{ money_sum('net_amount') }} as net_order_dated_amount,
        {{ money_sum('case when is_valid_order then net_amount else 0 end') }} as valid_order_net_amount,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount,
        cast(count(*) filter (where is_return_window_open) as bigint) as return_window_open_count

    from orders
    group by 1

),

refunds_per_day as (

    select
        refunded_date as calendar_date,
        cast(count(distinct refund_id) as bigint) as refund_count,
        {{ money_sum('net_refund_amount') }} as net_refund_amount

    from refunds
    group by 1

),

-- An occasion is one customer on one day, so they are counted without a distinct.
customers_per_day as (

    select
        ordered_date as calendar_date,
        cast(count(*) as bigint) as customer_count,
        cast(count(*) filter (where occasion_number = 1) as bigint) as new_customers

    from occasions
    group by 1

),

shipped_per_day as (

    select
        shipped_date as calendar_date,
        cast(count(*) as bigint) as shipped_order_count

    from orders
    where shipped_date is not null
    group by 1

),

-- Promises are counted on the day they were kept or broken: by the day of the order, the last days would hold the quick
-- parcels alone and look too good.
delivered_per_day as (

    select
        delivered_date as calendar_date,
        cast(count(*) as bigint) as delivered_order_count,
        cast(count(promise_kept) as bigint) as promised_order_count,
        cast(count(*) filter (where promise_kept) as bigint) as promise_kept_order_count

    from orders
    where delivered_date is not null
    group by 1

),

final as (

    select
        -- keys
        days.calendar_date,

        -- measures: what was ordered that day
        coalesce(orders_per_day.sale_count, 0) as sale_count,
        coalesce(orders_per_day.order_count, 0) as order_count,
        coalesce(customers_per_day.customer_count, 0) as customer_count,
        coalesce(customers_per_day.new_customers, 0) as new_customers,
        coalesce(customers_per_day.customer_count, 0) - coalesce(customers_per_day.new_customers, 0)
            as returning_customers,
        {{ ratio('customers_per_day.customer_count - customers_per_day.new_customers', 'customers_per_day.customer_count') }}
            as returning_customer_share,
        coalesce(orders_per_day.unit_count, 0) as unit_count,
        cast(coalesce(orders_per_day.gross_amount, 0) as decimal(18, 2)) as gross_amount,
        cast(coalesce(orders_per_day.discount_amount, 0) as decimal(18, 2)) as discount_amount,
        cast(coalesce(orders_per_day.net_before_refunds_amount, 0) as decimal(18, 2)) as net_before_refunds_amount,
        cast(coalesce(orders_per_day.net_order_dated_amount, 0) as decimal(18, 2)) as net_order_dated_amount,
        cast(coalesce(orders_per_day.contribution_margin_amount, 0) as decimal(18, 2)) as contribution_margin_amount,
        cast(round(
            {{ ratio('orders_per_day.valid_order_net_amount', 'orders_per_day.order_count') }}, 2
        ) as decimal(18, 2)) as average_order_value_amount,

        -- measures: what happened that day to orders of any day
        coalesce(refunds_per_day.refund_count, 0) as refund_count,
        cast(coalesce(refunds_per_day.net_refund_amount, 0) as decimal(18, 2)) as net_refund_amount,
        cast(
            coalesce(orders_per_day.net_before_refunds_amount, 0) - coalesce(refunds_per_day.net_refund_amount, 0)
            as decimal(18, 2)
        ) as net_refund_dated_amount,
        coalesce(shipped_per_day.shipped_order_count, 0) as shipped_order_count,
        coalesce(delivered_per_day.delivered_order_count, 0) as delivered_order_count,
        coalesce(delivered_per_day.promised_order_count, 0) as promised_order_count,
        coalesce(delivered_per_day.promise_kept_order_count, 0) as promise_kept_order_count,
        {{ ratio('delivered_per_day.promise_kept_order_count', 'delivered_per_day.promised_order_count') }}
            as promise_kept_share,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        coalesce(orders_per_day.return_window_open_count, 0) > 0 as is_return_window_open,

        -- times
        {{ as_of_date() }} as as_of_date

    from days
    left join orders_per_day on days.calendar_date = orders_per_day.calendar_date
    left join refunds_per_day on days.calendar_date = refunds_per_day.calendar_date
    left join customers_per_day on days.calendar_date = customers_per_day.calendar_date
    left join shipped_per_day on days.calendar_date = shipped_per_day.calendar_date
    left join delivered_per_day on days.calendar_date = delivered_per_day.calendar_date

)

select * from final

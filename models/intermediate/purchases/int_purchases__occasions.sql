with

orders as (

    select * from {{ ref('int_orders__valued') }}
    where is_valid_order and customer_id is not null

),

-- The order's id breaks ties of time: the same night must give the same table twice.
orders_of_the_day as (

    select
        *,
        row_number() over (
            partition by customer_id, ordered_date
            order by ordered_at asc nulls last, order_id asc nulls last
        ) as order_of_the_day

    from orders

),

-- Several valid orders on one day are one decision to buy.
days as (

    select
        customer_id,
        ordered_date,
        cast(count(*) as bigint) as order_count,
        {{ money_sum('gross_amount') }} as gross_amount,
        {{ money_sum('discount_amount') }} as discount_amount,
        {{ money_sum('net_amount') }} as net_amount,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount,
        bool_or(is_member_order) as is_member_order,
        bool_or(is_promo_order) as is_promo_order,
        min(case when order_of_the_day = 1 then order_id end) as first_order_id,
        min(case when order_of_the_day = 1 then channel end) as channel,
        min(case when order_of_the_day = 1 then country_code end) as country_code,
        min(ordered_at) as first_ordered_at

    from orders_of_the_day
    group by 1, 2

),

numbered as (

    select
        *,
        cast(row_number() over customer_days as bigint) as occasion_number,
        lag(ordered_date) over customer_days as previous_ordered_date,
        min(ordered_date) over (partition by customer_id) as first_ordered_date

    from days
    window customer_days as (partition by customer_id order by ordered_date asc nulls last)

),

final as (

    select
        -- keys
        customer_id,
        ordered_date,
        occasion_number,
        first_order_id,

        -- measures
        order_count,
        gross_amount,
        discount_amount,
        net_amount,
        contribution_margin_amount,
        {{ days_between('previous_ordered_date', 'ordered_date') }} as days_since_previous,
        {{ days_between('first_ordered_date', 'ordered_date') }} as age_days,
        {{ months_between('first_ordered_date', 'ordered_date') }} as age_month,
        cast(floor({{ ratio(days_between('first_ordered_date', 'ordered_date'), 30) }}) as integer) as age_30d,

        -- attributes
        channel,
        country_code,

        -- flags
        is_member_order,
        is_promo_order,

        -- times
        first_ordered_at,
        first_ordered_date,
        {{ month_of('first_ordered_date') }} as cohort_month,
        {{ month_of('ordered_date') }} as ordered_month

    from numbered

)

select * from final

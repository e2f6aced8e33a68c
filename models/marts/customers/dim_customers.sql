with

people as (

    select * from {{ ref('int_customers__accounts') }}

),

purchases as (

    select * from {{ ref('int_purchases__customers') }}

),

sales as (

    select * from {{ ref('int_customers__sales') }}

),

categories as (

    select * from {{ ref('int_purchases__categories') }}

),

stages as (

    select * from {{ ref('int_lifecycle__current') }}

),

final as (

    select
        -- keys
        people.customer_id,

        -- measures
        people.account_count,
        coalesce(sales.sale_count, 0) as sale_count,
        coalesce(sales.order_count, 0) as order_count,
        coalesce(purchases.occasion_count, 0) as occasion_count,
        coalesce(sales.fully_refunded_order_count, 0) as fully_refunded_order_count,
        cast(coalesce(sales.gross_amount, 0) as decimal(18, 2)) as gross_amount,
        cast(coalesce(sales.discount_amount, 0) as decimal(18, 2)) as discount_amount,
        cast(coalesce(sales.net_refund_amount, 0) as decimal(18, 2)) as net_refund_amount,
        cast(coalesce(sales.net_amount, 0) as decimal(18, 2)) as net_amount,
        cast(coalesce(sales.contribution_margin_amount, 0) as decimal(18, 2)) as contribution_margin_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        purchases.first_channel,
        categories.first_category,
        case when not people.is_erased then coalesce(people.country_code, purchases.country_code) end as country_code,
        people.acquisition_channel,
        people.account_state,
        people.loyalty_tier,
        coalesce(stages.lifecycle_stage, 'prospect') as lifecycle_stage,

        -- flags
        coalesce(purchases.is_first_order_promo, false) as is_first_order_promo,
        people.is_member_now,
        people.is_erased,
        coalesce(purchases.is_left_truncated, false) as is_left_truncated,

        -- times
        people.first_seen_date,
        purchases.first_ordered_date,
        purchases.last_ordered_date,
        purchases.cohort_month,
        {{ as_of_date() }} as as_of_date

    from people
    left join purchases on people.customer_id = purchases.customer_id
    left join sales on people.customer_id = sales.customer_id
    left join categories on people.customer_id = categories.customer_id
    left join stages on people.customer_id = stages.customer_id

)

select * from final

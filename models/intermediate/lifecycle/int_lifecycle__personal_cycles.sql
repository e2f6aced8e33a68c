with

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

categories as (

    select * from {{ ref('int_purchases__categories') }}

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}
    where days_since_previous is not null

),

category_cycles as (

    select
        categories.first_category,
        cast(median(occasions.days_since_previous) as double) as median_days_between_orders
    from occasions
    inner join categories on occasions.customer_id = categories.customer_id
    group by 1

),

shop_cycle as (

    select cast(median(days_since_previous) as double) as median_days_between_orders
    from occasions

),

final as (

    select
        -- keys
        customers.customer_id,

        -- measures: two gaps are the least from which a person has a rhythm; before that the category lends its own
        case
            when customers.occasion_count >= 3 then customers.median_days_between_orders
            else coalesce(category_cycles.median_days_between_orders, shop_cycle.median_days_between_orders)
        end as cycle_days,
        case
            when customers.occasion_count >= 3 then 'own'
            when category_cycles.median_days_between_orders is not null then 'category'
            when shop_cycle.median_days_between_orders is not null then 'shop'
            else 'none'
        end as cycle_source

    from customers
    left join categories on customers.customer_id = categories.customer_id
    left join category_cycles on categories.first_category = category_cycles.first_category
    cross join shop_cycle

)

select * from final

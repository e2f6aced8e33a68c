with

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

vip_margin as (

    select * from {{ ref('int_lifecycle__vip_margin') }}

),

final as (

    select
        -- keys
        customers.customer_id,

        -- attributes
        {{ lifecycle_stage(
            'customers.recency_days', 'customers.age_days', 'occasions.days_since_previous', 'customers.occasion_count',
            'customers.contribution_margin_amount', 'vip_margin.vip_margin_amount') }} as lifecycle_stage,

        -- times
        customers.as_of_date

    from customers
    inner join occasions
        on customers.customer_id = occasions.customer_id
        and customers.occasion_count = occasions.occasion_number
    cross join vip_margin

)

select * from final

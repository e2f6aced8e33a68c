with

category_spend as (

    select * from {{ ref('int_purchases__category_spend') }}

),

ranked as (

    select
        customer_id,
        category,
        is_in_first_purchase,
        {{ ratio('net_before_refunds_amount', 'sum(net_before_refunds_amount) over (partition by customer_id)') }}
            as category_share,
        row_number() over (
            partition by customer_id
            order by net_before_refunds_amount desc nulls last, category asc nulls last
        ) as spend_rank,
        row_number() over (
            partition by customer_id, is_in_first_purchase
            order by first_day_amount desc nulls last, category asc nulls last
        ) as first_purchase_rank

    from category_spend

),

final as (

    select
        customer_id,
        min(case when is_in_first_purchase and first_purchase_rank = 1 then category end) as first_category,
        min(case when spend_rank = 1 then category end) as top_category,
        min(case when spend_rank = 1 then category_share end) as top_category_share

    from ranked
    group by 1

)

select * from final

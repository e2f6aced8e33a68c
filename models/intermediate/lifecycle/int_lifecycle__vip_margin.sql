with

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

final as (

    -- One threshold for the night, also for past months: a moving one would make moves out of nothing.
    select
        cast(
            percentile_cont(1 - {{ var('vip_share') }}) within group (order by cast(contribution_margin_amount as double))
            as decimal(18, 2)
        ) as vip_margin_amount,
        {{ as_of_date() }} as as_of_date

    from customers

)

select * from final

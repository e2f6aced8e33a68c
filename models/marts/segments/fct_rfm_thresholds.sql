with

rfm as (

    select * from {{ ref('fct_customer_rfm') }}

),

measures as (

    select
        'recency' as measure,
        recency_score as score,
        cast(recency_days as double) as measured_value
    from rfm
    union all
    select
        'frequency' as measure,
        frequency_score as score,
        cast(frequency as double) as measured_value
    from rfm
    union all
    select
        'monetary' as measure,
        monetary_score as score,
        cast(monetary_amount as double) as measured_value
    from rfm

),

final as (

    select
        -- keys
        measure,
        score,

        -- measures
        min(measured_value) as lowest_value,
        max(measured_value) as highest_value,
        cast(count(*) as bigint) as customers,

        -- times
        {{ as_of_date() }} as as_of_date

    from measures
    group by 1, 2

)

select * from final

with

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

rfm_groups as (

    select * from {{ ref('rfm_groups') }}

),

-- percent_rank gives equal values one rank, so customers who are alike get the same score; ntile would part them.
ranked as (

    select
        customer_id,
        recency_days,
        occasion_count,
        net_amount,
        percent_rank() over (order by recency_days desc nulls last) as recency_rank,
        percent_rank() over (order by occasion_count asc nulls last) as frequency_rank,
        percent_rank() over (order by net_amount asc nulls last) as monetary_rank

    from customers

),

scored as (

    select
        *,
        {{ fifth('recency_rank') }} as recency_score,
        {{ fifth('frequency_rank') }} as frequency_score,
        {{ fifth('monetary_rank') }} as monetary_score

    from ranked

),

final as (

    select
        -- keys
        scored.customer_id,

        -- measures
        scored.recency_days,
        scored.occasion_count as frequency,
        scored.net_amount as monetary_amount,
        scored.recency_score,
        scored.frequency_score,
        scored.monetary_score,
        cast(floor((scored.frequency_score + scored.monetary_score) / cast(2 as double) + 0.5) as integer)
            as frequency_monetary_score,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        rfm_groups.rfm_group,

        -- times
        {{ as_of_date() }} as as_of_date

    from scored
    inner join rfm_groups
        on scored.recency_score = rfm_groups.recency_score
        and cast(floor((scored.frequency_score + scored.monetary_score) / cast(2 as double) + 0.5) as integer)
        = rfm_groups.frequency_monetary_score

)

select * from final

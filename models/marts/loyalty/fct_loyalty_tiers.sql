with

tiers as (

    select * from {{ ref('int_loyalty__tiers') }}

),

final as (

    select
        -- keys
        customer_id,
        tier_number,

        -- measures
        {{ days_between('started_date', 'coalesce(ended_date, ' ~ add_days(as_of_date(), 1) ~ ')') }} as days_in_tier,

        -- attributes
        tier as loyalty_tier,
        previous_tier as previous_loyalty_tier,
        reason,

        -- flags
        is_running,

        -- times
        started_date,
        ended_date,
        {{ as_of_date() }} as as_of_date

    from tiers

)

select * from final

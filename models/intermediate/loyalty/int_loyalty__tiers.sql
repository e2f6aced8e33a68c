with

tier_history as (

    select * from {{ ref('stg_loyalty_tier_history') }}
    where
        not is_deleted
        and {{ is_known('valid_from') }}

),

-- What an erased person owed and was owed stays in the books; how good a customer it was does not.
identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not is_test and not is_erased

),

-- Of two starts on one day, the later one lasts.
starts as (

    select
        identity_map.customer_id,
        tier_history.tier,
        tier_history.reason,
        {{ shop_day('tier_history.valid_from') }} as started_date,
        case when {{ is_known('tier_history.valid_to') }} then {{ shop_day('tier_history.valid_to') }} end
            as delivered_ended_date,
        row_number() over (
            partition by identity_map.customer_id, {{ shop_day('tier_history.valid_from') }}
            order by
                tier_history.valid_from desc nulls last,
                tier_history._batch_id desc nulls last,
                tier_history.customer_id desc nulls last
        ) as place_in_day

    from tier_history
    inner join identity_map on tier_history.customer_id = identity_map.source_customer_id

),

-- A tier that begins ends the one before, whatever end that one was delivered with.
cut as (

    select
        *,
        lead(started_date) over (partition by customer_id order by started_date asc nulls last) as next_started_date
    from starts
    where place_in_day = 1

),

ended as (

    select
        *,
        -- The same day twice would be a tier that never was.
        case
            when next_started_date is null then delivered_ended_date
            when delivered_ended_date < next_started_date then delivered_ended_date
            else next_started_date
        end as ended_date
    from cut

),

numbered as (

    select
        *,
        cast(row_number() over person_tiers as bigint) as tier_number,
        case when lag(ended_date) over person_tiers = started_date then lag(tier) over person_tiers end
            as previous_tier
    from ended
    where ended_date is null or ended_date > started_date
    window person_tiers as (partition by customer_id order by started_date asc nulls last)

),

final as (

    select
        -- keys
        customer_id,
        tier_number,

        -- attributes
        tier,
        previous_tier,
        reason,

        -- flags
        ended_date is null as is_running,

        -- times
        started_date,
        ended_date

    from numbered

)

select * from final

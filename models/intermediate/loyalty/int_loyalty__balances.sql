with

entries as (

    select * from {{ ref('int_loyalty__entries') }}

),

movements as (

    select * from {{ ref('int_loyalty__movements') }}

),

lots as (

    select * from {{ ref('int_loyalty__lots') }}

),

tiers as (

    select * from {{ ref('int_loyalty__tiers') }}

),

moved as (

    select
        customer_id,
        min(movement_date) as first_movement_date,
        max(case when ledger_entry_id is not null then movement_date end) as last_entry_date,
        cast(coalesce(sum(case when entry_type = 'expire' then -moved_points end), 0) as bigint) as expired_points,
        cast(max_by(net_points, step_number) as bigint) as net_points
    from movements
    group by 1

),

entered as (

    select
        customer_id,
        cast(coalesce(sum(case when entry_type = 'earn' then points end), 0) as bigint) as earned_points,
        cast(coalesce(sum(case when entry_type = 'burn' then -points end), 0) as bigint) as burned_points
    from entries
    group by 1

),

open_lots as (

    select
        customer_id,
        min(expires_date) as next_expiry_date,
        cast(sum(open_points) as bigint) as open_points
    from lots
    where open_points > 0
    group by 1

),

-- Points that run out first, and how many run out with them.
next_expiries as (

    select
        lots.customer_id,
        cast(sum(lots.open_points) as bigint) as next_expiry_points
    from lots
    inner join open_lots
        on lots.customer_id = open_lots.customer_id
        and lots.expires_date = open_lots.next_expiry_date
    group by 1

),

tiered as (

    select
        customer_id,
        min(started_date) as first_tier_date,
        max(case when is_running then tier end) as loyalty_tier,
        max(case when is_running then started_date end) as tier_started_date
    from tiers
    group by 1

),

people as (

    select customer_id from moved
    union
    select customer_id from tiered

),

final as (

    select
        -- keys
        people.customer_id,

        -- measures
        cast(greatest(coalesce(moved.net_points, 0), 0) as bigint) as points_balance,
        cast(greatest(-coalesce(moved.net_points, 0), 0) as bigint) as owed_points,
        coalesce(entered.earned_points, 0) as earned_points,
        coalesce(entered.burned_points, 0) as burned_points,
        coalesce(moved.expired_points, 0) as expired_points,
        coalesce(next_expiries.next_expiry_points, 0) as next_expiry_points,

        -- attributes: in the programme without a tier is a state, too
        coalesce(tiered.loyalty_tier, 'none') as loyalty_tier,

        -- times
        least(
            coalesce(moved.first_movement_date, tiered.first_tier_date),
            coalesce(tiered.first_tier_date, moved.first_movement_date)
        ) as enrolled_date,
        tiered.tier_started_date,
        moved.last_entry_date,
        open_lots.next_expiry_date,
        {{ as_of_date() }} as as_of_date

    from people
    left join moved on people.customer_id = moved.customer_id
    left join entered on people.customer_id = entered.customer_id
    left join open_lots on people.customer_id = open_lots.customer_id
    left join next_expiries on people.customer_id = next_expiries.customer_id
    left join tiered on people.customer_id = tiered.customer_id

)

select * from final

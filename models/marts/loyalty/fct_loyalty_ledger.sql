with

entries as (

    select * from {{ ref('int_loyalty__entries') }}

),

movements as (

    select * from {{ ref('int_loyalty__movements') }}

),

tiers as (

    select * from {{ ref('int_loyalty__tiers') }}

),

final as (

    select
        -- keys
        movements.customer_id,
        movements.step_number as movement_number,
        movements.ledger_entry_id,
        -- The account of an erased person would name them again.
        case when movements.customer_id not like 'erased:%' then entries.source_customer_id end as source_customer_id,
        entries.order_id,

        -- measures
        entries.points as entered_points,
        movements.moved_points,
        cast(greatest(movements.net_points, 0) as bigint) as points_balance,
        cast(greatest(-movements.net_points, 0) as bigint) as owed_points,
        cast(
            greatest(greatest(-movements.net_points, 0) - greatest(-movements.net_points_before, 0), 0) as bigint
        ) as missing_points,
        entries.money_value_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        movements.entry_type,
        coalesce(entries.entry_source, 'date') as entry_source,
        entries.reward_type,
        coalesce(tiers.tier, 'none') as loyalty_tier,

        -- flags
        movements.ledger_entry_id is not null as is_delivered,

        -- times
        movements.movement_date,
        entries.event_at,
        {{ as_of_date() }} as as_of_date

    from movements
    left join entries on movements.ledger_entry_id = entries.ledger_entry_id
    left join tiers
        on movements.customer_id = tiers.customer_id
        and movements.movement_date >= tiers.started_date
        and (tiers.ended_date is null or movements.movement_date < tiers.ended_date)

)

select * from final

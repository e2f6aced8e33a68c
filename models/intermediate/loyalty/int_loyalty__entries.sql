with

ledger as (

    select * from {{ ref('stg_loyalty_ledger') }}
    where
        not is_deleted
        and {{ is_known('event_at') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not is_test

),

-- Within one second points come in before they go out, or a purchase that earns and spends would look overdrawn.
entries as (

    select
        ledger.*,
        identity_map.customer_id as person_id,
        {{ shop_day('ledger.event_at') }} as entry_date,
        cast(row_number() over (
            partition by identity_map.customer_id
            order by
                ledger.event_at asc nulls last,
                case when ledger.points > 0 then 0 else 1 end asc nulls last,
                ledger.ledger_entry_id asc nulls last
        ) as bigint) as entry_number

    from ledger
    inner join identity_map on ledger.customer_id = identity_map.source_customer_id

),

-- Whatever adds points opens a lot: an earning, a correction upwards, points given back.
lots as (

    select
        person_id,
        ledger_entry_id,
        coalesce(lot_id, ledger_entry_id) as lot_name,
        entry_number,
        points,
        expires_at
    from entries
    where points > 0

),

-- A name that several earnings carry names none of them.
named_lots as (

    select
        person_id,
        lot_name,
        min(ledger_entry_id) as ledger_entry_id
    from lots
    group by 1, 2
    having count(*) = 1

),

-- A reversal takes back its own earning; other entries draw on a lot only where the shop names it.
aimed as (

    select
        entries.ledger_entry_id,
        coalesce(
            case when entries.entry_type = 'reverse' then entries.earned_entry_id end,
            named_lots.ledger_entry_id
        ) as lot_entry_id

    from entries
    left join named_lots
        on entries.person_id = named_lots.person_id
        and entries.lot_id = named_lots.lot_name
    where entries.points < 0

),

-- Points of a lot that is not earned yet, or is over already, cannot be taken from it.
named_draws as (

    select
        entries.ledger_entry_id,
        lots.ledger_entry_id as lot_entry_id,
        lots.points as lot_points,
        cast(-entries.points as bigint) as drawn_points,
        cast(sum(-entries.points) over (
            partition by lots.ledger_entry_id
            order by entries.entry_number asc nulls last
            rows between unbounded preceding and current row
        ) as bigint) as drawn_points_so_far

    from entries
    inner join aimed on entries.ledger_entry_id = aimed.ledger_entry_id
    inner join lots
        on aimed.lot_entry_id = lots.ledger_entry_id
        and entries.person_id = lots.person_id
        and entries.entry_number > lots.entry_number
        and (lots.expires_at is null or entries.entry_date <= lots.expires_at)
    where entries.points < 0

),

-- No more than the lot held: what a second reversal asks beyond it comes from the oldest points.
own_parts as (

    select
        ledger_entry_id,
        lot_entry_id,
        case
            when lot_points <= drawn_points_so_far - drawn_points then 0
            else least(drawn_points, lot_points - (drawn_points_so_far - drawn_points))
        end as own_lot_points
    from named_draws

),

final as (

    select
        -- keys
        entries.ledger_entry_id,
        entries.person_id as customer_id,
        entries.customer_id as source_customer_id,
        entries.entry_number,
        entries.order_id,
        case when own_parts.own_lot_points > 0 then own_parts.lot_entry_id end as drawn_lot_entry_id,

        -- measures
        cast(entries.points as bigint) as points,
        cast(coalesce(own_parts.own_lot_points, 0) as bigint) as own_lot_points,
        entries.money_value as money_value_amount,

        -- attributes
        entries.entry_type,
        coalesce(entries.source, 'unknown') as entry_source,
        entries.reward_type,

        -- times
        entries.event_at,
        entries.entry_date,
        case when entries.points > 0 then entries.expires_at end as expires_date

    from entries
    left join own_parts on entries.ledger_entry_id = own_parts.ledger_entry_id

)

select * from final

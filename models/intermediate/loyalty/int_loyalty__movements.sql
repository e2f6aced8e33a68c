{#- First in, first out, by sums alone. Lay the points of a person end to end in the order in which they run out; whatever
    leaves moves one mark along that line. A burning moves it by its points; on the day after a lot's last the mark stands
    at least at the lot's end. So the mark is burned + expired, and expired is the running maximum of what the days asked
    for and of what the shop says has expired: one flow, told twice. -#}

with

entries as (

    select * from {{ ref('int_loyalty__entries') }}

),

taken_from_lots as (

    select
        drawn_lot_entry_id,
        cast(sum(own_lot_points) as bigint) as own_lot_points
    from entries
    where own_lot_points > 0
    group by 1

),

-- What is taken from a named lot shortens the lot; whether the mark had reached it changes no sum.
lots as (

    select
        entries.customer_id,
        entries.ledger_entry_id,
        entries.expires_date,
        cast(sum(entries.points - coalesce(taken_from_lots.own_lot_points, 0)) over (
            partition by entries.customer_id
            order by entries.expires_date asc nulls last, entries.entry_number asc nulls last
            rows between unbounded preceding and current row
        ) as bigint) as ends_at

    from entries
    left join taken_from_lots on entries.ledger_entry_id = taken_from_lots.drawn_lot_entry_id
    where entries.points > 0

),

-- The last day of a lot is a day on which it can be spent.
expiries as (

    select
        customer_id,
        {{ add_days('expires_date', 1) }} as movement_date,
        max(ends_at) as must_be_gone
    from lots
    where expires_date < {{ as_of_date() }}
    group by 1, 2

),

-- What the shop writes on the day on which points run out tells of them, whenever the job that writes it runs.
steps as (

    select
        entries.customer_id,
        entries.ledger_entry_id,
        entries.entry_type,
        entries.entry_date as movement_date,
        case when entries.entry_type = 'expire' and expiries.customer_id is not null then 0 else 2 end
            as place_in_day,
        entries.entry_number,
        greatest(entries.points, 0) as points_in,
        entries.own_lot_points,
        case when entries.entry_type <> 'expire' then greatest(-entries.points, 0) - entries.own_lot_points else 0 end
            as taken_points,
        case when entries.entry_type = 'expire' then greatest(-entries.points, 0) - entries.own_lot_points else 0 end
            as told_expired_points,
        cast(null as bigint) as must_be_gone
    from entries
    left join expiries
        on entries.customer_id = expiries.customer_id
        and entries.entry_date = expiries.movement_date

    union all

    select
        customer_id,
        cast(null as {{ string_type() }}) as ledger_entry_id,
        'expire' as entry_type,
        movement_date,
        1 as place_in_day,
        cast(null as bigint) as entry_number,
        0 as points_in,
        0 as own_lot_points,
        0 as taken_points,
        0 as told_expired_points,
        must_be_gone
    from expiries

),

numbered as (

    select
        *,
        cast(row_number() over (
            partition by customer_id
            order by movement_date asc nulls last, place_in_day asc nulls last, entry_number asc nulls last
        ) as bigint) as step_number
    from steps

),

summed as (

    select
        *,
        cast(sum(points_in - own_lot_points) over until_this_step as bigint) as free_points,
        cast(sum(taken_points) over until_this_step as bigint) as taken_so_far,
        cast(sum(told_expired_points) over until_this_step as bigint) as told_expired_so_far
    from numbered
    window until_this_step as (
        partition by customer_id
        order by step_number asc nulls last
        rows between unbounded preceding and current row
    )

),

marked as (

    select
        *,
        cast(greatest(
            0,
            told_expired_so_far,
            coalesce(max(must_be_gone - taken_so_far) over (
                partition by customer_id
                order by step_number asc nulls last
                rows between unbounded preceding and current row
            ), 0)
        ) as bigint) as expired_so_far
    from summed

),

balanced as (

    select
        *,
        taken_so_far + expired_so_far as mark_after,
        free_points - taken_so_far - expired_so_far as net_points,
        expired_so_far - coalesce(lag(expired_so_far) over person_steps, 0) as newly_expired_points,
        coalesce(lag(taken_so_far + expired_so_far) over person_steps, 0) as mark_before,
        coalesce(lag(free_points - taken_so_far - expired_so_far) over person_steps, 0) as net_points_before
    from marked
    window person_steps as (partition by customer_id order by step_number asc nulls last)

),

final as (

    select
        -- keys
        customer_id,
        step_number,
        ledger_entry_id,

        -- measures
        cast(points_in - own_lot_points - taken_points - newly_expired_points as bigint) as moved_points,
        cast(own_lot_points as bigint) as own_lot_points,
        cast(mark_before as bigint) as mark_before,
        cast(mark_after as bigint) as mark_after,
        cast(net_points_before as bigint) as net_points_before,
        cast(net_points as bigint) as net_points,

        -- attributes
        entry_type,

        -- times
        movement_date

    from balanced
    where ledger_entry_id is not null or newly_expired_points > 0

)

select * from final

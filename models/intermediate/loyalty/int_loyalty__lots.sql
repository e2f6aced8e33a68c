with

entries as (

    select * from {{ ref('int_loyalty__entries') }}

),

movements as (

    select * from {{ ref('int_loyalty__movements') }}

),

taken_from_lots as (

    select
        entries.drawn_lot_entry_id,
        {% for entry_type in ['burn', 'reverse', 'adjust', 'expire'] -%}
        cast(sum(case when entries.entry_type = '{{ entry_type }}' then entries.own_lot_points else 0 end) as bigint)
            as {{ entry_type }}_points,
        {% endfor -%}
        cast(sum(entries.own_lot_points) as bigint) as own_lot_points,
        max(entries.entry_date) as last_taken_date

    from entries
    where entries.own_lot_points > 0
    group by 1

),

-- The line of a person's points, as in int_loyalty__movements.
lots as (

    select
        entries.*,
        entries.points - coalesce(taken_from_lots.own_lot_points, 0) as free_points,
        cast(sum(entries.points - coalesce(taken_from_lots.own_lot_points, 0)) over (
            partition by entries.customer_id
            order by entries.expires_date asc nulls last, entries.entry_number asc nulls last
            rows between unbounded preceding and current row
        ) as bigint) as ends_at,
        {% for entry_type in ['burn', 'reverse', 'adjust', 'expire'] -%}
        coalesce(taken_from_lots.{{ entry_type }}_points, 0) as own_{{ entry_type }}_points,
        {% endfor -%}
        taken_from_lots.last_taken_date

    from entries
    left join taken_from_lots on entries.ledger_entry_id = taken_from_lots.drawn_lot_entry_id
    where entries.points > 0

),

-- Where a movement's stretch of the line overlaps a lot's, the movement has taken points of the lot.
stretches as (

    select
        lots.ledger_entry_id,
        movements.entry_type,
        movements.movement_date,
        least(lots.ends_at, movements.mark_after)
            - greatest(lots.ends_at - lots.free_points, movements.mark_before) as points

    from lots
    inner join movements
        on lots.customer_id = movements.customer_id
        and movements.mark_after > lots.ends_at - lots.free_points
        and movements.mark_before < lots.ends_at
        and movements.mark_after > movements.mark_before
    where lots.free_points > 0

),

taken_in_turn as (

    select
        ledger_entry_id,
        {% for entry_type in ['burn', 'reverse', 'adjust', 'expire'] -%}
        cast(sum(case when entry_type = '{{ entry_type }}' then points else 0 end) as bigint)
            as {{ entry_type }}_points,
        {% endfor -%}
        max(movement_date) as last_taken_date
    from stretches
    group by 1

),

counted as (

    select
        lots.*,
        {% for entry_type in ['burn', 'reverse', 'adjust', 'expire'] -%}
        lots.own_{{ entry_type }}_points + coalesce(taken_in_turn.{{ entry_type }}_points, 0)
            as {{ entry_type }}_points,
        {% endfor -%}
        -- A movement that found nothing is met by the next lot, on the day that lot is earned.
        greatest(
            coalesce(taken_in_turn.last_taken_date, lots.entry_date),
            coalesce(lots.last_taken_date, lots.entry_date),
            lots.entry_date
        ) as last_change_date

    from lots
    left join taken_in_turn on lots.ledger_entry_id = taken_in_turn.ledger_entry_id

),

final as (

    select
        -- keys
        ledger_entry_id as lot_entry_id,
        customer_id,
        entry_number,

        -- measures
        points as lot_points,
        cast(burn_points as bigint) as burned_points,
        cast(reverse_points as bigint) as reversed_points,
        cast(adjust_points as bigint) as adjusted_points,
        cast(expire_points as bigint) as expired_points,
        cast(points - burn_points - reverse_points - adjust_points - expire_points as bigint) as open_points,

        -- attributes
        entry_type as opened_by,
        entry_source,

        -- flags: nothing can happen to it any more
        points = burn_points + reverse_points + adjust_points + expire_points as is_closed,

        -- times
        entry_date as opened_date,
        expires_date,
        case when points = burn_points + reverse_points + adjust_points + expire_points then last_change_date end
            as closed_date

    from counted

)

select * from final

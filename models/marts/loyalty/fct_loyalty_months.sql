{%- set repeat_days = 90 -%}

with

movements as (

    select * from {{ ref('int_loyalty__movements') }}

),

lots as (

    select * from {{ ref('int_loyalty__lots') }}

),

tiers as (

    select * from {{ ref('int_loyalty__tiers') }}
    -- Tiers alone say nothing of points: months of a shop that delivers no ledger would owe nothing.
    where exists (select 1 from movements)

),

balances as (

    select
        customer_id,
        enrolled_date
    from {{ ref('int_loyalty__balances') }}
    where exists (select 1 from movements)

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

-- A person of the programme is always in one state: a tier, or none before the first, between two and after the last.
states_begun as (

    select
        customer_id,
        tier,
        started_date
    from tiers

    union all

    select
        balances.customer_id,
        'none' as tier,
        balances.enrolled_date as started_date
    from balances
    left join tiers
        on balances.customer_id = tiers.customer_id
        and balances.enrolled_date = tiers.started_date
    where tiers.customer_id is null

    union all

    select
        tiers.customer_id,
        'none' as tier,
        tiers.ended_date as started_date
    from tiers
    left join tiers as following
        on tiers.customer_id = following.customer_id
        and tiers.ended_date = following.started_date
    where tiers.ended_date is not null and following.customer_id is null

),

states as (

    select
        customer_id,
        tier,
        started_date,
        cast(row_number() over person_states as bigint) as state_number,
        lead(started_date) over person_states as ended_date
    from states_begun
    window person_states as (partition by customer_id order by started_date asc nulls last)

),

first_month as (

    select {{ month_of('min(enrolled_date)') }} as month_start
    from balances

),

-- A hundred years: more than any programme has run.
months as (

    select {{ add_months('first_month.month_start', 'numbers.n') }} as month_start
    from first_month
    cross join {{ numbers(1200) }} as numbers
    where {{ add_months('first_month.month_start', 'numbers.n') }} <= {{ as_of_date() }}

),

-- Points in the order of days, the state of a day before what moves on it: so each movement meets its state, and a new
-- state the points that it takes over.
events as (

    select
        customer_id,
        started_date as event_date,
        0 as place_in_day,
        state_number as event_number,
        1 as begins_state,
        cast('state' as {{ string_type() }}) as entry_type,
        false as is_delivered,
        cast(0 as bigint) as moved_points,
        cast(0 as bigint) as balance_change,
        cast(0 as bigint) as owed_change
    from states

    union all

    select
        customer_id,
        movement_date,
        1,
        step_number,
        0,
        entry_type,
        ledger_entry_id is not null,
        moved_points,
        cast(greatest(net_points, 0) - greatest(net_points_before, 0) as bigint),
        cast(greatest(-net_points, 0) - greatest(-net_points_before, 0) as bigint)
    from movements

),

placed as (

    select
        *,
        cast(sum(begins_state) over so_far as bigint) as state_number,
        cast(sum(balance_change) over so_far as bigint) as balance_after
    from events
    window so_far as (
        partition by customer_id
        order by event_date asc nulls last, place_in_day asc nulls last, event_number asc nulls last
        rows between unbounded preceding and current row
    )

),

-- A state that begins takes the points over from the one before.
counted_events as (

    select
        placed.customer_id,
        placed.event_date,
        placed.entry_type,
        placed.is_delivered,
        placed.moved_points,
        placed.owed_change,
        case when placed.begins_state = 1 then placed.balance_after else 0 end as transferred_points,
        case when placed.begins_state = 1 then 1 else 0 end as members_change,
        states.tier
    from placed
    inner join states
        on placed.customer_id = states.customer_id
        and placed.state_number = states.state_number

    union all

    select
        placed.customer_id,
        placed.event_date,
        'state' as entry_type,
        false as is_delivered,
        cast(0 as bigint) as moved_points,
        cast(0 as bigint) as owed_change,
        -placed.balance_after as transferred_points,
        -1 as members_change,
        states.tier
    from placed
    inner join states
        on placed.customer_id = states.customer_id
        and placed.state_number = states.state_number + 1
    where placed.begins_state = 1

),

moved as (

    select
        {{ month_of('event_date') }} as month_start,
        tier,
        cast(sum(members_change) as bigint) as members_change,
        cast(count(distinct case when is_delivered and entry_type in ('earn', 'burn') then customer_id end) as bigint)
            as active_members,
        {% for entry_type, sign in [('earn', ''), ('burn', '-'), ('expire', '-'), ('reverse', '-'), ('adjust', '')] -%}
        cast(sum(case when entry_type = '{{ entry_type }}' then {{ sign }}moved_points else 0 end) as bigint)
            as {{ entry_type }}_points,
        {% endfor -%}
        cast(sum(owed_change) as bigint) as owed_points_change,
        cast(sum(transferred_points) as bigint) as transferred_points
    from counted_events
    group by 1, 2

),

-- Lots whose last day lay in the month: by then every point of them is burned, taken back or gone.
matured as (

    select
        {{ month_of('lots.expires_date') }} as month_start,
        states.tier,
        cast(sum(lots.lot_points - lots.reversed_points) as bigint) as matured_points,
        cast(sum(lots.burned_points) as bigint) as matured_burned_points,
        cast(sum(lots.expired_points) as bigint) as matured_expired_points
    from lots
    inner join states
        on lots.customer_id = states.customer_id
        and lots.expires_date >= states.started_date
        and (states.ended_date is null or lots.expires_date < states.ended_date)
    where lots.expires_date < {{ as_of_date() }}
    group by 1, 2

),

followed as (

    select
        customer_id,
        ordered_date,
        ordered_month,
        lead(ordered_date) over customer_days as next_ordered_date,
        row_number() over (
            partition by customer_id, ordered_month
            order by ordered_date asc nulls last
        ) as place_in_month
    from occasions
    window customer_days as (partition by customer_id order by ordered_date asc nulls last)

),

-- Who bought in the month, by the state on the first day of it on which they bought.
buyers as (

    select
        followed.ordered_month as month_start,
        states.tier,
        cast(count(*) as bigint) as buyers,
        cast(count(*) filter (
            where followed.next_ordered_date <= {{ add_days('followed.ordered_date', repeat_days) }}
        ) as bigint) as repeat_buyers
    from followed
    left join states
        on followed.customer_id = states.customer_id
        and followed.ordered_date >= states.started_date
        and (states.ended_date is null or followed.ordered_date < states.ended_date)
    where followed.place_in_month = 1
    group by 1, 2

),

tiers_seen as (

    select
        tier,
        {{ month_of('min(started_date)') }} as first_month
    from states
    group by 1

),

summed as (

    select
        months.month_start,
        tiers_seen.tier,
        {{ end_of_month('months.month_start') }} as month_end,
        coalesce(moved.active_members, 0) as active_members,
        {% for column in ['earn_points', 'burn_points', 'expire_points', 'reverse_points', 'adjust_points',
            'owed_points_change', 'transferred_points'] -%}
        coalesce(moved.{{ column }}, 0) as {{ column }},
        {% endfor -%}
        cast(sum(coalesce(moved.members_change, 0)) over so_far as bigint) as members,
        cast(sum(
            coalesce(moved.earn_points - moved.burn_points - moved.expire_points - moved.reverse_points
                + moved.adjust_points + moved.owed_points_change + moved.transferred_points, 0)
        ) over so_far as bigint) as closing_points,
        matured.matured_points,
        matured.matured_burned_points,
        matured.matured_expired_points,
        coalesce(buyers.buyers, 0) as buyers,
        coalesce(buyers.repeat_buyers, 0) as repeat_buyers,
        coalesce(others.buyers, 0) as other_buyers,
        coalesce(others.repeat_buyers, 0) as other_repeat_buyers

    from months
    inner join tiers_seen on tiers_seen.first_month <= months.month_start
    left join moved on months.month_start = moved.month_start and tiers_seen.tier = moved.tier
    left join matured on months.month_start = matured.month_start and tiers_seen.tier = matured.tier
    left join buyers on months.month_start = buyers.month_start and tiers_seen.tier = buyers.tier
    left join buyers as others on months.month_start = others.month_start and others.tier is null
    window so_far as (
        partition by tiers_seen.tier
        order by months.month_start asc nulls last
        rows between unbounded preceding and current row
    )

),

judged as (

    select
        *,
        month_end <= {{ as_of_date() }} as is_complete,
        -- Points of the month's last day can be spent on that day.
        month_end < {{ as_of_date() }} as is_breakage_mature,
        {{ add_days('month_end', repeat_days) }} <= {{ as_of_date() }} as is_repeat_mature
    from summed

),

final as (

    select
        -- keys
        month_start,
        tier as loyalty_tier,

        -- measures
        members,
        active_members,
        cast(closing_points - (earn_points - burn_points - expire_points - reverse_points + adjust_points
            + owed_points_change + transferred_points) as bigint) as opening_points,
        earn_points as earned_points,
        burn_points as burned_points,
        expire_points as expired_points,
        reverse_points as reversed_points,
        adjust_points as adjusted_points,
        owed_points_change,
        transferred_points,
        closing_points,
        cast(round(cast(closing_points as double) * {{ var('loyalty_point_value') }}, 2) as decimal(18, 2))
            as liability_amount,
        case when is_breakage_mature then coalesce(matured_points, 0) end as matured_points,
        case when is_breakage_mature then coalesce(matured_expired_points, 0) end as matured_expired_points,
        case when is_breakage_mature then coalesce(matured_burned_points, 0) end as matured_burned_points,
        case when is_breakage_mature then {{ ratio('matured_expired_points', 'matured_points') }} end as breakage_rate,
        case when is_breakage_mature then {{ ratio('matured_burned_points', 'matured_points') }} end as redemption_rate,
        case when is_repeat_mature then buyers end as repeat_eligible_customers,
        case when is_repeat_mature then repeat_buyers end as repeat_customers,
        case when is_repeat_mature then {{ ratio('repeat_buyers', 'buyers') }} end as repeat_rate_90d,
        case when is_repeat_mature then {{ wilson_low('repeat_buyers', 'buyers') }} end as repeat_rate_90d_low,
        case when is_repeat_mature then {{ wilson_high('repeat_buyers', 'buyers') }} end as repeat_rate_90d_high,
        case when is_repeat_mature then other_buyers end as others_repeat_eligible_customers,
        case when is_repeat_mature then other_repeat_buyers end as others_repeat_customers,
        case when is_repeat_mature then {{ ratio('other_repeat_buyers', 'other_buyers') }} end
            as others_repeat_rate_90d,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        is_complete,
        is_breakage_mature,
        is_repeat_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from judged

)

select * from final

{%- set grace = var('membership_grace_days') -%}

with

terms as (

    select * from {{ ref('int_membership__terms') }}
    where is_covering

),

memberships as (

    select * from {{ ref('stg_memberships') }}
    where not is_deleted

),

-- A term that begins before the last one is over replaces it: a plan changed midway.
ordered_terms as (

    select
        *,
        lead(covered_from) over (
            partition by membership_id
            order by covered_from asc nulls last, term_number asc nulls last
        ) as next_covered_from
    from terms

),

delivered as (

    select
        membership_term_id,
        membership_id,
        term_number,
        customer_id,
        program,
        plan_code,
        billing_period,
        mrr_amount,
        case
            when billing_period = 'trial' then 'trial'
            when payment_status = 'waived' then 'paused'
            else 'active'
        end as member_state,
        covered_from,
        case when next_covered_from < term_end then next_covered_from else term_end end
            as covered_until,
        term_end as renewal_due_date,
        paid_date,
        due_date

    from ordered_terms

),

-- Some shops write no term for a pause: then only the newest state of the membership tells of it.
paused_now as (

    select
        delivered.*,
        row_number() over (
            partition by delivered.membership_id
            order by
                delivered.covered_until desc nulls last,
                delivered.covered_from desc nulls last,
                delivered.term_number desc nulls last
        ) as recency
    from delivered
    inner join memberships on delivered.membership_id = memberships.membership_id
    where
        memberships.status = 'paused'
        -- A state written before the last term began is stale: the member came back since.
        and coalesce(
            {{ shop_day('memberships.updated_at') }}
            between delivered.covered_from and {{ as_of_date() }},
            true
        )

),

stretches as (

    select * from delivered
    union all
    select
        cast(null as {{ string_type() }}) as membership_term_id,
        membership_id,
        cast(null as integer) as term_number,
        customer_id,
        program,
        plan_code,
        billing_period,
        cast(0 as decimal(18, 2)) as mrr_amount,
        'paused' as member_state,
        covered_until as covered_from,
        -- open: it ends on no day that this night knows
        {{ add_days(as_of_date(), 1) }} as covered_until,
        cast(null as date) as renewal_due_date,
        cast(null as date) as paid_date,
        cast(null as date) as due_date
    from paused_now
    where
        recency = 1
        and covered_until <= {{ as_of_date() }}

),

with_reach as (

    select
        *,
        max(covered_until) over (
            partition by membership_id
            order by covered_from asc nulls last, term_number asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as membership_covered_until,
        max(covered_until) over (
            partition by customer_id, program
            order by
                covered_from asc nulls last,
                membership_id asc nulls last,
                term_number asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as person_covered_until
    from stretches

),

-- A run is one membership, a spell one person in one program, without a hole longer than the grace.
numbered as (

    select
        *,
        cast(sum(case
            when membership_covered_until is null
                or covered_from > {{ add_days('membership_covered_until', grace) }} then 1
            else 0
        end) over (
            partition by membership_id
            order by covered_from asc nulls last, term_number asc nulls last
            rows between unbounded preceding and current row
        ) as bigint) as run_number,
        cast(sum(case
            when person_covered_until is null
                or covered_from > {{ add_days('person_covered_until', grace) }} then 1
            else 0
        end) over (
            partition by customer_id, program
            order by
                covered_from asc nulls last,
                membership_id asc nulls last,
                term_number asc nulls last
            rows between unbounded preceding and current row
        ) as bigint) as spell_number
    from with_reach

),

run_starts as (

    select
        membership_id,
        customer_id,
        program,
        spell_number,
        min(covered_from) as run_start_date
    from numbered
    group by membership_id, customer_id, program, spell_number, run_number

),

followed as (

    select
        *,
        lead(covered_from) over (
            partition by membership_id, run_number
            order by covered_from asc nulls last, term_number asc nulls last
        ) as own_next_from,
        lead(membership_term_id) over (
            partition by membership_id, run_number
            order by covered_from asc nulls last, term_number asc nulls last
        ) as own_next_term_id,
        min(covered_from) over (partition by membership_id, run_number) as run_start_date
    from numbered

),

-- A second membership of the same person that begins within the grace carries the first one on.
replacements as (

    select
        followed.membership_id,
        followed.run_number,
        min(run_starts.run_start_date) as replaced_date
    from followed
    inner join run_starts
        on followed.customer_id = run_starts.customer_id
        and followed.program = run_starts.program
        and followed.spell_number = run_starts.spell_number
        and followed.membership_id <> run_starts.membership_id
        and run_starts.run_start_date between followed.covered_until
        and {{ add_days('followed.covered_until', grace) }}
    where followed.own_next_from is null
    group by 1, 2

),

continued as (

    select
        followed.*,
        coalesce(followed.own_next_from, replacements.replaced_date) as continued_date,
        {{ add_days('followed.covered_until', grace) }} as grace_end_date,
        memberships.cancel_reason as delivered_cancel_reason,
        case
            when {{ is_known('memberships.cancel_requested_at') }}
                and {{ shop_day('memberships.cancel_requested_at') }} >= followed.run_start_date
                then {{ shop_day('memberships.cancel_requested_at') }}
        end as cancel_requested_date

    from followed
    left join replacements
        on followed.membership_id = replacements.membership_id
        and followed.run_number = replacements.run_number
        and followed.own_next_from is null
    left join memberships on followed.membership_id = memberships.membership_id

),

final as (

    select
        -- keys
        membership_term_id,
        membership_id,
        term_number,
        run_number,
        customer_id,
        program,
        spell_number,
        plan_code,
        billing_period,

        -- measures
        mrr_amount,

        -- attributes
        member_state,
        case
            -- A pause without a term answers no renewal: the term before it is censored.
            when own_next_from is not null and own_next_term_id is null then 'paused'
            when membership_term_id is null then 'paused'
            when continued_date is not null then 'renewed'
            when grace_end_date > {{ as_of_date() }} then 'undecided'
            when cancel_requested_date < grace_end_date then 'ended_voluntary'
            else 'ended_involuntary'
        end as outcome,
        delivered_cancel_reason as cancel_reason,

        -- flags: the window of a renewal closes with its grace, however early the money came
        coalesce(renewal_due_date <= {{ as_of_date() }}, false) as is_due,
        coalesce(
            {{ add_days('renewal_due_date', grace) }} <= {{ as_of_date() }}
            and not (own_next_from is not null and own_next_term_id is null),
            false
        ) as is_decided,
        own_next_from is null as is_run_end,
        coalesce(
            member_state = 'active' and paid_date > due_date
            and covered_from > run_start_date, false
        ) as is_recovered,

        -- times
        covered_from,
        covered_until,
        renewal_due_date,
        continued_date,
        case
            when continued_date is null and grace_end_date <= {{ as_of_date() }}
                then grace_end_date
        end as ended_date,
        coalesce(continued_date, grace_end_date) as state_until,
        run_start_date,
        cancel_requested_date,
        paid_date

    from continued

)

select * from final

with

coverage as (

    select * from {{ ref('int_membership__coverage') }}

),

-- The membership that covers the person longest speaks for the end of the spell.
ranked as (

    select
        *,
        row_number() over (
            partition by customer_id, program, spell_number
            order by covered_from asc nulls last, membership_id asc nulls last,
                term_number asc nulls last
        ) as place_from_start,
        row_number() over (
            partition by customer_id, program, spell_number
            order by covered_until desc nulls last, membership_id desc nulls last,
                term_number desc nulls last
        ) as place_from_end,
        max(covered_until) over (
            partition by customer_id, program, spell_number
            order by covered_from asc nulls last, membership_id asc nulls last,
                term_number asc nulls last
            rows between unbounded preceding and 1 preceding
        ) as covered_before
    from coverage

),

summary as (

    select
        customer_id,
        program,
        spell_number,
        cast(count(distinct membership_id) as bigint) as membership_count,
        cast(count(*) filter (where member_state = 'active') as bigint) as paid_term_count,
        -- Within a membership a term is cut where the next begins: what overlaps is two memberships.
        bool_or(coalesce(covered_from < covered_before, false)) as has_overlapping_memberships,
        bool_or(member_state = 'trial') as has_trial,
        max(case when place_from_start = 1 then membership_id end) as first_membership_id,
        max(case when place_from_end = 1 then membership_id end) as last_membership_id,
        max(case when place_from_start = 1 then plan_code end) as first_plan_code,
        max(case when place_from_end = 1 then cancel_reason end) as cancel_reason,
        max(case when place_from_end = 1 then outcome end) as last_outcome,
        max(case when place_from_end = 1 then cancel_requested_date end)
            as cancel_requested_date,
        min(covered_from) as started_date,
        min(case when member_state = 'active' then covered_from end) as first_paid_date,
        max(case when membership_term_id is not null then covered_until end) as paid_through_date,
        max(case when place_from_end = 1 then ended_date end) as ended_date

    from ranked
    group by 1, 2, 3

),

final as (

    select
        -- keys
        customer_id,
        program,
        spell_number,
        first_membership_id,
        last_membership_id,

        -- measures
        membership_count,
        paid_term_count,
        {{ days_between('started_date', 'coalesce(ended_date, ' ~ as_of_date() ~ ')') }}
            as tenure_days,

        -- attributes
        first_plan_code,
        case last_outcome
            when 'ended_voluntary' then 'voluntary'
            when 'ended_involuntary' then 'involuntary'
        end as end_type,
        case when ended_date is not null then cancel_reason end as cancel_reason,

        -- flags
        ended_date is null as is_running,
        has_trial,
        has_overlapping_memberships,
        coalesce(
            max(case when paid_term_count > 0 then 1 else 0 end) over (
                partition by customer_id, program
                order by spell_number asc nulls last
                rows between unbounded preceding and 1 preceding
            ) = 1,
            false
        ) as has_paid_before,

        -- times
        started_date,
        first_paid_date,
        paid_through_date,
        cancel_requested_date,
        ended_date

    from summary

)

select * from final

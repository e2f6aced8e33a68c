with

coverage as (

    select * from {{ ref('int_membership__coverage') }}

),

spells as (

    select * from {{ ref('int_membership__spells') }}

),

following as (

    select
        *,
        lag(mrr_amount) over terms_of_run as mrr_before,
        lag(member_state) over terms_of_run as state_before
    from coverage
    window terms_of_run as (
        partition by membership_id, run_number
        order by covered_from asc nulls last, term_number asc nulls last
    )

),

-- Every term starts something; the last of a run also ends it. A membership counts through its grace.
events as (

    select
        membership_id,
        customer_id,
        program,
        spell_number,
        covered_from as changed_date,
        plan_code as started_plan_code,
        member_state as started_state,
        mrr_amount - coalesce(mrr_before, 0) as mrr_change,
        {% for state in ['active', 'paused', 'trial'] -%}
        case when member_state = '{{ state }}' then 1 else 0 end
            - case when state_before = '{{ state }}' then 1 else 0 end as {{ state }}_change
        {{- ',' if not loop.last }}
        {% endfor %}
    from following

    union all

    select
        membership_id,
        customer_id,
        program,
        spell_number,
        state_until as changed_date,
        cast(null as {{ string_type() }}) as started_plan_code,
        cast(null as {{ string_type() }}) as started_state,
        -mrr_amount as mrr_change,
        {% for state in ['active', 'paused', 'trial'] -%}
        case when member_state = '{{ state }}' then -1 else 0 end as {{ state }}_change
        {{- ',' if not loop.last }}
        {% endfor %}
    from following
    where
        is_run_end
        and (ended_date is not null or continued_date is not null)

),

membership_days as (

    select
        membership_id,
        customer_id,
        program,
        changed_date,
        max(spell_number) as spell_number,
        coalesce(
            max(case when started_state = 'active' then started_plan_code end),
            max(started_plan_code)
        ) as started_plan_code,
        {{ money_sum('mrr_change') }} as mrr_change,
        cast(sum(active_change) as bigint) as active_change,
        cast(sum(paused_change) as bigint) as paused_change,
        cast(sum(trial_change) as bigint) as trial_change

    from events
    group by 1, 2, 3, 4

),

-- The person's change is told once, by the membership that starts something, or else by the larger.
ranked as (

    select
        *,
        row_number() over (
            partition by customer_id, program, changed_date
            order by
                case when started_plan_code is not null then 0 else 1 end asc nulls last,
                abs(mrr_change) desc nulls last,
                membership_id asc nulls last
        ) as place
    from membership_days

),

person_days as (

    select
        customer_id,
        program,
        changed_date,
        max(spell_number) as spell_number,
        max(case when place = 1 then started_plan_code end) as started_plan_code,
        {{ money_sum('mrr_change') }} as mrr_change,
        cast(sum(active_change) as bigint) as active_change,
        cast(sum(paused_change) as bigint) as paused_change,
        cast(sum(trial_change) as bigint) as trial_change

    from ranked
    group by 1, 2, 3

),

-- Memberships of a person may overlap: the person pays while any of them is paid.
running as (

    select
        *,
        cast(sum(mrr_change) over person_days_so_far as decimal(18, 2)) as mrr_after,
        sum(active_change) over person_days_so_far as active_memberships,
        sum(paused_change) over person_days_so_far as paused_memberships,
        sum(trial_change) over person_days_so_far as trial_memberships,
        count(started_plan_code) over person_days_so_far as plan_number

    from person_days
    window person_days_so_far as (
        partition by customer_id, program
        order by changed_date asc nulls last
        rows between unbounded preceding and current row
    )

),

states as (

    select
        customer_id,
        program,
        changed_date,
        spell_number,
        mrr_change,
        mrr_after,
        case
            when active_memberships > 0 then 'active'
            when paused_memberships > 0 then 'paused'
            when trial_memberships > 0 then 'trial'
            else 'none'
        end as state_after,
        max(started_plan_code) over (partition by customer_id, program, plan_number)
            as plan_after

    from running

),

compared as (

    select
        *,
        coalesce(lag(state_after) over person_changes, 'none') as state_before,
        lag(plan_after) over person_changes as plan_before,
        cast(mrr_after - mrr_change as decimal(18, 2)) as mrr_before,
        coalesce(max(case when state_after = 'active' then 1 else 0 end) over (
            partition by customer_id, program
            order by changed_date asc nulls last
            rows between unbounded preceding and 1 preceding
        ) = 1, false) as has_paid_before,
        coalesce(max(case when state_after = 'active' then 1 else 0 end) over (
            partition by customer_id, program, spell_number
            order by changed_date asc nulls last
            rows between unbounded preceding and 1 preceding
        ) = 1, false) as has_paid_in_spell,
        coalesce(max(case when state_after = 'trial' then 1 else 0 end) over (
            partition by customer_id, program, spell_number
            order by changed_date asc nulls last
            rows between unbounded preceding and 1 preceding
        ) = 1, false) as has_tried_in_spell

    from states
    window person_changes as (
        partition by customer_id, program
        order by changed_date asc nulls last
    )

),

named as (

    select
        compared.*,
        case
            when state_before <> 'active' and state_after = 'active' then
                case
                    when has_paid_in_spell then 'resumed'
                    when compared.has_paid_before then 'reactivation'
                    when has_tried_in_spell then 'trial_conversion'
                    else 'new'
                end
            when state_before = 'active' and state_after = 'active' then
                case
                    when mrr_change > 0 then 'expansion'
                    when mrr_change < 0 then 'contraction'
                    when plan_after <> plan_before then 'plan_change'
                    else 'renewal'
                end
            when state_before = 'active' and state_after = 'none' then
                case spells.end_type
                    when 'voluntary' then 'churn_voluntary' else 'churn_involuntary'
                end
            -- It runs on without a fee: waived, paused, or on trial of a second membership.
            when state_before = 'active' then 'paused'
            when state_before = 'paused' and state_after = 'none' then 'end_while_paused'
            when state_before = 'trial' and state_after = 'none' then 'trial_end'
            when state_before = 'none' and state_after = 'trial' then 'trial_start'
            when state_before = state_after and plan_before = plan_after then 'renewal'
            else 'change_without_fee'
        end as movement

    from compared
    left join spells
        on compared.customer_id = spells.customer_id
        and compared.program = spells.program
        and compared.spell_number = spells.spell_number

),

final as (

    select
        -- keys
        ranked.membership_id,
        ranked.customer_id,
        ranked.program,
        ranked.spell_number,
        ranked.changed_date,

        -- measures
        case when ranked.place = 1 then named.mrr_change else cast(0 as decimal(18, 2)) end
            as mrr_change_amount,
        -- What one membership hands to another of the same person: sums to zero over the person.
        cast(
            ranked.mrr_change - case when ranked.place = 1 then named.mrr_change else 0 end
            as decimal(18, 2)
        ) as transferred_amount,
        named.mrr_before as person_mrr_before_amount,
        named.mrr_after as person_mrr_after_amount,

        -- attributes
        named.movement,
        named.state_before,
        named.state_after,
        named.plan_before,
        named.plan_after,

        -- flags
        ranked.place = 1 as is_told_here

    from ranked
    inner join named
        on ranked.customer_id = named.customer_id
        and ranked.program = named.program
        and ranked.changed_date = named.changed_date
    where
        named.movement <> 'renewal'
        or ranked.mrr_change <> 0

)

select * from final

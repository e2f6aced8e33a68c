{#- movement -> the side of a change whose plan it is booked on: what comes in belongs to the plan it
    came to, what goes out to the plan it left. -#}
{%- set movements = {
    'new': 'after', 'trial_conversion': 'after', 'reactivation': 'after', 'resumed': 'after',
    'expansion': 'after', 'contraction': 'after',
    'paused': 'before', 'churn_voluntary': 'before', 'churn_involuntary': 'before',
} -%}
{%- set without_head_count = ['expansion', 'contraction'] -%}

with

member_months as (

    select * from {{ ref('int_membership__months') }}

),

changes as (

    select * from {{ ref('int_membership__changes') }}
    where is_told_here

),

coverage as (

    select * from {{ ref('int_membership__coverage') }}

),

openings as (

    select
        program,
        opening_plan_code as plan_code,
        month_start,
        cast(count(*) filter (where opening_state = 'active') as bigint) as opening_members,
        {{ money_sum('opening_mrr_amount') }} as opening_mrr_amount,
        cast(count(*) filter (where opening_state = 'active' and has_churned) as bigint)
            as churned_opening_members,
        -- Who left and came back within the month has left: the return is a reactivation.
        {{ money_sum("case when opening_state = 'active' and not has_churned
            then least(opening_mrr_amount, closing_mrr_amount) else 0 end") }} as kept_mrr_amount,
        {{ money_sum("case when opening_state = 'active' and not has_churned
            then closing_mrr_amount else 0 end") }} as grown_mrr_amount

    from member_months
    where opening_state <> 'none'
    group by 1, 2, 3

),

closings as (

    select
        program,
        closing_plan_code as plan_code,
        month_start,
        cast(count(*) filter (where closing_state = 'active') as bigint) as closing_members,
        cast(count(*) filter (where closing_state = 'paused') as bigint) as closing_paused_members,
        cast(count(*) filter (where closing_state = 'trial') as bigint) as closing_trials,
        {{ money_sum('closing_mrr_amount') }} as closing_mrr_amount

    from member_months
    where closing_state <> 'none'
    group by 1, 2, 3

),

booked as (

    select
        program,
        case
            when movement in ('paused', 'churn_voluntary', 'churn_involuntary', 'end_while_paused')
                then plan_before
            else plan_after
        end as plan_code,
        {{ month_of('changed_date') }} as month_start,
        {% for movement in movements -%}
        {% if movement not in without_head_count -%}
        cast(count(*) filter (where movement = '{{ movement }}') as bigint)
            as {{ movement }}_members,
        {% endif -%}
        {{ money_sum("case when movement = '" ~ movement ~ "' then mrr_change_amount else 0 end") }}
            as {{ movement }}_mrr_amount,
        {% endfor -%}
        cast(count(*) filter (where movement = 'end_while_paused') as bigint)
            as ended_while_paused_members

    from changes
    group by 1, 2, 3

),

-- A member who changes plan takes the old MRR along; what the new plan costs more or less is an
-- expansion or contraction there.
switches as (

    select
        program,
        plan_before,
        plan_after,
        {{ month_of('changed_date') }} as month_start,
        person_mrr_before_amount as mrr_amount
    from changes
    where
        state_before = 'active'
        and state_after = 'active'
        and plan_before <> plan_after

),

switched as (

    select
        program,
        plan_code,
        month_start,
        cast(sum(members_in) as bigint) as switched_in_members,
        cast(sum(members_out) as bigint) as switched_out_members,
        {{ money_sum('mrr_in') }} as switched_in_mrr_amount,
        {{ money_sum('mrr_out') }} as switched_out_mrr_amount

    from (
        select
            program, plan_after as plan_code, month_start,
            1 as members_in, 0 as members_out, mrr_amount as mrr_in, 0 as mrr_out
        from switches
        union all
        select
            program, plan_before as plan_code, month_start,
            0 as members_in, 1 as members_out, 0 as mrr_in, -mrr_amount as mrr_out
        from switches
    ) as both_sides
    group by 1, 2, 3

),

recovered as (

    select
        program,
        plan_code,
        {{ month_of('paid_date') }} as month_start,
        cast(count(*) as bigint) as recovered_members,
        {{ money_sum('mrr_amount') }} as recovered_mrr_amount

    from coverage
    where is_recovered
    group by 1, 2, 3

),

plans as (

    select
        program,
        plan_code,
        min(month_start) as first_month,
        max(month_start) as last_month
    from (
        select program, plan_code, month_start from openings
        union all
        select program, plan_code, month_start from closings
        union all
        select program, plan_code, month_start from booked
    ) as seen
    group by 1, 2

),

shop_months as (

    select distinct month_start from member_months

),

spine as (

    select
        plans.program,
        plans.plan_code,
        shop_months.month_start
    from plans
    inner join shop_months
        on shop_months.month_start between plans.first_month and plans.last_month

),

joined as (

    select
        spine.program,
        spine.plan_code,
        spine.month_start,
        {{ add_months('spine.month_start', 1) }} <= {{ add_days(as_of_date(), 1) }} as is_complete,
        coalesce(openings.opening_members, 0) as opening_members,
        {% for movement in movements if movement not in without_head_count -%}
        coalesce(booked.{{ movement }}_members, 0) as {{ movement }}_members,
        {% endfor -%}
        coalesce(switched.switched_in_members, 0) as switched_in_members,
        coalesce(switched.switched_out_members, 0) as switched_out_members,
        coalesce(closings.closing_members, 0) as closing_members,
        coalesce(openings.churned_opening_members, 0) as churned_opening_members,
        coalesce(booked.ended_while_paused_members, 0) as ended_while_paused_members,
        coalesce(recovered.recovered_members, 0) as recovered_members,
        coalesce(closings.closing_paused_members, 0) as closing_paused_members,
        coalesce(closings.closing_trials, 0) as closing_trials,
        coalesce(openings.opening_mrr_amount, 0) as opening_mrr_amount,
        {% for movement in movements -%}
        coalesce(booked.{{ movement }}_mrr_amount, 0) as {{ movement }}_mrr_amount,
        {% endfor -%}
        coalesce(switched.switched_in_mrr_amount, 0) as switched_in_mrr_amount,
        coalesce(switched.switched_out_mrr_amount, 0) as switched_out_mrr_amount,
        coalesce(closings.closing_mrr_amount, 0) as closing_mrr_amount,
        coalesce(openings.kept_mrr_amount, 0) as kept_mrr_amount,
        coalesce(openings.grown_mrr_amount, 0) as grown_mrr_amount,
        coalesce(recovered.recovered_mrr_amount, 0) as recovered_mrr_amount

    from spine
    {% for part in ['openings', 'closings', 'booked', 'switched', 'recovered'] -%}
    left join {{ part }}
        on spine.program = {{ part }}.program
        and spine.plan_code = {{ part }}.plan_code
        and spine.month_start = {{ part }}.month_start
    {% endfor %}
),

final as (

    select
        -- keys
        month_start,
        program,
        plan_code,

        -- measures: members
        opening_members,
        {% for movement in movements if movement not in without_head_count -%}
        {{ movement }}_members,
        {% endfor -%}
        switched_in_members,
        switched_out_members,
        closing_members,
        churned_opening_members,
        ended_while_paused_members,
        recovered_members,
        closing_paused_members,
        closing_trials,

        -- measures: monthly recurring revenue
        {% for amount in ['opening'] + movements.keys() | list
            + ['switched_in', 'switched_out', 'closing', 'kept', 'grown', 'recovered'] -%}
        cast({{ amount }}_mrr_amount as decimal(18, 2)) as {{ amount }}_mrr_amount,
        {% endfor -%}
        '{{ var("shop_currency") }}' as currency_code,
        case when is_complete then {{ ratio('kept_mrr_amount', 'opening_mrr_amount') }} end
            as gross_revenue_retention_rate,
        case when is_complete then {{ ratio('grown_mrr_amount', 'opening_mrr_amount') }} end
            as net_revenue_retention_rate,
        case when is_complete then {{ ratio('churned_opening_members', 'opening_members') }} end
            as logo_churn_rate,

        -- flags
        is_complete,

        -- times
        {{ as_of_date() }} as as_of_date

    from joined

)

select * from final

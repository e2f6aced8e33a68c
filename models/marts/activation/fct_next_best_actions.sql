with

-- Who was erased is nobody whom anything could be done for.
customers as (

    select * from {{ ref('dim_customers') }}
    where not is_erased

),

actions as (

    select * from {{ ref('fct_action_evidence') }}
    where verdict = 'works'

),

what_is_known as (

    select
        count(*) filter (where verdict = 'works') as working_actions,
        count(*) filter (where measured_uplift is not null) as measured_actions
    from {{ ref('fct_action_evidence') }}

),

customer_values as (

    select * from {{ ref('fct_customer_value') }}

),

consents as (

    select * from {{ ref('fct_consents') }}
    where is_current

),

-- A choice by what somebody is expected to buy is profiling: a no to it on the channel ends what is sent there.
agreed as (

    select
        customer_id,
        channel,
        max(case when purpose = 'marketing' and is_granted then consent_event_id end) as consent_event_id
    from consents
    group by 1, 2
    having not bool_or(purpose = 'profiling' and coalesce(status in ('withdrawn', 'complained'), false))

),

-- Whom a running experiment of the shop keeps out of every message.
experiments as (

    select * from {{ ref('stg_experiments') }}
    where
        not is_deleted
        and campaign_id is null
        and coalesce(end_at >= {{ end_of_night() }}, true)

),

experiment_holdouts as (

    select distinct draws.customer_id
    from {{ ref('fct_experiment_assignments') }} as draws
    inner join experiments on draws.experiment_id = experiments.experiment_id
    where draws.is_holdout and draws.customer_id is not null

),

loyalty as (

    select * from {{ ref('int_loyalty__balances') }}

),

bad_experiences as (

    select distinct customer_id
    from {{ ref('int_service__bad_events') }}
    where happened_date > {{ add_days(as_of_date(), -var('action_bad_experience_days')) }}

),

profiles as (

    select
        customers.customer_id,
        customers.order_count,
        not customers.is_member_now as is_without_membership,
        customers.lifecycle_stage = 'lapsed' as is_lapsed,
        loyalty.customer_id is not null as is_loyalty_member,
        bad_experiences.customer_id is not null as is_after_bad_experience,
        customer_values.expected_orders_365d,
        cast(customer_values.expected_order_value_amount as double) as order_value,
        cast(customer_values.residual_clv_365d_amount as double) as margin_365d,
        {{ is_held_out("'next_best_action'", var('action_holdout_share'), 'customers.customer_id') }} as is_held_out_of_actions,
        {{ is_held_out("'everything'", var('holdout_share'), 'customers.customer_id') }}
        or experiment_holdouts.customer_id is not null as is_held_out_of_messages
    from customers
    left join customer_values on customers.customer_id = customer_values.customer_id
    left join experiment_holdouts on customers.customer_id = experiment_holdouts.customer_id
    left join loyalty on customers.customer_id = loyalty.customer_id
    left join bad_experiences on customers.customer_id = bad_experiences.customer_id

),

-- For whom each action is made, whether or not it may reach them.
candidates as (

    select
        profiles.customer_id,
        actions.*,
        agreed.consent_event_id,
        actions.purpose <> 'marketing' or agreed.consent_event_id is not null as may_be_reached,
        -- Of the year to come, the days in which the action was seen to work.
        profiles.expected_orders_365d * actions.window_days / 365 as expected_orders,
        profiles.margin_365d * actions.window_days / 365 as expected_margin,
        profiles.expected_orders_365d * actions.window_days / 365 * (
            cast(actions.offer_per_order_amount as double)
            + case when actions.offer_order_share > 0 then actions.offer_order_share * profiles.order_value else 0 end
        ) as offer_amount,
        cast(actions.cost_per_customer_amount as double) as cost
    from profiles
    inner join actions
        on actions.eligible_customers = 'everyone'
        or (actions.eligible_customers = 'without_membership' and profiles.is_without_membership)
        or (actions.eligible_customers = 'loyalty_members' and profiles.is_loyalty_member)
        or (actions.eligible_customers = 'lapsed' and profiles.is_lapsed)
        or (actions.eligible_customers = 'after_bad_experience' and profiles.is_after_bad_experience)
    left join agreed
        on profiles.customer_id = agreed.customer_id
        and actions.channel = agreed.channel

),

-- More orders bring their margin, less what is given on them; what is given on orders that would have come anyway is lost.
priced as (

    select
        *,
        cast(round(take_up_rate * uplift * (expected_margin - offer_amount), 2) as decimal(18, 2)) as added_margin_amount,
        cast(round(take_up_rate * offer_amount, 2) as decimal(18, 2)) as cannibalised_amount,
        take_up_rate * (uplift_low * (expected_margin - offer_amount) - offer_amount) - cost as one_end,
        take_up_rate * (uplift_high * (expected_margin - offer_amount) - offer_amount) - cost as other_end
    from candidates

),

valued as (

    select
        *,
        cast(added_margin_amount - cannibalised_amount - cost_per_customer_amount as decimal(18, 2)) as incremental_margin_amount,
        cast(round(least(one_end, other_end), 2) as decimal(18, 2)) as incremental_margin_low_amount,
        cast(round(greatest(one_end, other_end), 2) as decimal(18, 2)) as incremental_margin_high_amount
    from priced

),

-- Beside doing nothing. What was drawn by lot is judged by what it is expected to bring. What was not may be biased beyond its
-- interval, so it has to pay at the lower end too.
judged as (

    select
        *,
        may_be_reached
        and coalesce(incremental_margin_amount > 0, false)
        and (evidence_kind = 'experiment' or coalesce(incremental_margin_low_amount > 0, false)) as is_better_than_nothing
    from valued

),

ranked as (

    select
        *,
        -- An equal does not beat doing nothing, and unknown money comes last.
        row_number() over (
            partition by customer_id
            order by
                case when is_better_than_nothing then 0 else 1 end asc nulls last,
                case when may_be_reached then 0 else 1 end asc nulls last,
                incremental_margin_amount desc nulls last,
                cost_per_customer_amount asc nulls last,
                action asc nulls last
        ) as place
    from judged

),

-- The first action in every customer's order, and the second beside it.
best as (

    select * from ranked
    where place = 1

),

seconds as (

    select
        customer_id,
        label,
        action,
        incremental_margin_amount
    from ranked
    where place = 2 and is_better_than_nothing

),

decided as (

    select
        profiles.customer_id,
        profiles.order_count,
        profiles.margin_365d,
        -- What is part of a service is no message, and only the holdout of actions goes without it.
        profiles.is_held_out_of_actions
        or (profiles.is_held_out_of_messages and coalesce(best.purpose, 'marketing') = 'marketing') as is_held_out,
        what_is_known.working_actions,
        what_is_known.measured_actions,
        coalesce(best.is_better_than_nothing, false) as has_best,
        best.action as first_action,
        best.may_be_reached,
        best.label,
        best.channel,
        best.purpose,
        best.consent_event_id,
        best.evidence_kind,
        best.evidence,
        best.window_days,
        best.expected_orders,
        best.expected_margin,
        best.uplift,
        best.uplift_low,
        best.uplift_high,
        best.added_margin_amount,
        best.cannibalised_amount,
        best.cost_per_customer_amount,
        best.incremental_margin_amount,
        best.incremental_margin_low_amount,
        best.incremental_margin_high_amount,
        seconds.action as second_action,
        seconds.incremental_margin_amount as second_margin_amount
    from profiles
    cross join what_is_known
    left join best on profiles.customer_id = best.customer_id
    left join seconds on profiles.customer_id = seconds.customer_id

),

with_arms as (

    select
        *,
        has_best and not is_held_out as is_done,
        -- Why, in one word; of several reasons for doing nothing the first that holds.
        case
            when has_best and not is_held_out then 'worth_it'
            when has_best then 'held_out'
            when measured_actions = 0 then 'nothing_measured'
            when working_actions = 0 then 'nothing_works'
            when order_count = 0 then 'no_order_yet'
            when margin_365d is null then 'value_unknown'
            when first_action is null then 'not_eligible'
            when not may_be_reached then 'no_consent'
            when incremental_margin_amount is null then 'offer_unknown'
            when incremental_margin_amount > 0 then 'not_drawn_by_lot'
            else 'costs_more'
        end as reason_code
    from decided

),

final as (

    select
        -- keys
        customer_id,
        case when is_done and purpose = 'marketing' then consent_event_id end as consent_event_id,

        -- attributes
        case when is_done then first_action else 'none' end as action,
        case when has_best then first_action else 'none' end as best_action,
        case when has_best then coalesce(second_action, 'none') end as runner_up_action,
        case when is_held_out then 'holdout' else 'treated' end as arm,
        case when is_done then channel end as channel,
        case when is_done then purpose end as purpose,
        case when has_best then evidence_kind end as evidence_kind,
        case when has_best then evidence end as evidence,
        reason_code,
        case reason_code
            when 'worth_it' then concat(
                label, ': ', {{ percent_in_words('uplift') }}, ' more orders (', {{ percent_in_words('uplift_low') }}, ' to ', {{ percent_in_words('uplift_high') }},
                ') in ', {{ in_words('window_days') }}, ' days bring ', {{ in_words('added_margin_amount') }}, '; ',
                {{ in_words('cannibalised_amount') }}, ' is given on orders that would have come anyway, and ',
                {{ in_words('cost_per_customer_amount') }}, ' is spent.'
            )
            when 'held_out' then concat('Held out, so that what actions bring can be measured again. Else: ', label, '.')
            when 'nothing_measured' then 'No action has been measured in this shop.'
            when 'nothing_works' then 'No action that was measured in this shop was shown to bring orders.'
            when 'no_order_yet' then 'The customer has not ordered yet, so nothing is expected that an action could add to.'
            when 'value_unknown' then 'What the customer will bring is not known, so nobody knows what an action would add.'
            when 'not_eligible' then 'No action that brings orders is made for this customer.'
            when 'no_consent' then 'No action that brings orders may reach this customer: there is no consent.'
            when 'offer_unknown' then 'What the action gives away is not known for this customer.'
            when 'not_drawn_by_lot' then concat(
                label, ' is expected to bring ', {{ in_words('incremental_margin_amount') }},
                ' more than it costs; it was not drawn by lot, and at the lower end of its interval it brings ',
                {{ in_words('incremental_margin_low_amount') }}, '.'
            )
            when 'costs_more' then concat(
                label, ' would give away or cost more (', {{ in_words('cannibalised_amount + cost_per_customer_amount') }},
                ') than it is expected to bring (', {{ in_words('added_margin_amount') }}, ').'
            )
        end as reason,

        -- measures
        case when has_best then window_days end as window_days,
        case when has_best then expected_orders end as expected_orders,
        cast(case when has_best then round(expected_margin, 2) end as decimal(18, 2)) as expected_margin_amount,
        case when has_best then uplift end as uplift,
        case when has_best then uplift_low end as uplift_low,
        case when has_best then uplift_high end as uplift_high,
        {%- for column in ['added_margin_amount', 'cannibalised_amount'] %}
        cast(case when is_done then {{ column }} else 0 end as decimal(18, 2)) as {{ column }},
        {%- endfor %}
        cast(case when is_done then cost_per_customer_amount else 0 end as decimal(18, 2)) as cost_amount,
        {%- for bound in ['', 'low_', 'high_'] %}
        cast(case when is_done then incremental_margin_{{ bound }}amount else 0 end as decimal(18, 2))
            as expected_incremental_margin_{{ bound }}amount,
        {%- endfor %}
        cast(case when has_best then coalesce(second_margin_amount, 0) end as decimal(18, 2)) as runner_up_incremental_margin_amount,
        cast(case when has_best and not is_done then incremental_margin_amount else 0 end as decimal(18, 2)) as exploration_cost_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- times
        {{ as_of_date() }} as as_of_date

    from with_arms

)

select * from final

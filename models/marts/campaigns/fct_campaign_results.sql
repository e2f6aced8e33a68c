{%- set attribution_days = var('campaign_attribution_days') -%}
{%- set counted = [
    'sent', 'delivered', 'human_opens', 'machine_opens', 'clicks', 'bounces', 'complaints', 'unsubscribes', 'suppressed',
    'sent_without_consent',
] -%}

with

messages as (

    select
        *,
        cast(date_trunc('week', message_date) as date) as message_week
    from {{ ref('fct_messages') }}

),

orders as (

    select * from {{ ref('fct_orders') }}
    where is_sale and customer_id is not null

),

assignments as (

    select * from {{ ref('fct_experiment_assignments') }}
    where is_counted and customer_id is not null

),

-- Experiments that keep somebody out of every message. One person, one side: held out by any of them is held out.
holdouts as (

    select distinct experiment_id
    from assignments
    where is_holdout

),

sides as (

    select
        assignments.customer_id,
        case when bool_or(assignments.is_holdout) then 'holdout' else 'treated' end as arm,
        min(assignments.assigned_at) as assigned_at
    from assignments
    inner join holdouts on assignments.experiment_id = holdouts.experiment_id
    group by 1

),

-- A message to somebody who was held out at that moment is a row of its own, where everybody sees it.
told_messages as (

    select
        messages.*,
        case when sides.arm = 'holdout' and messages.sent_at >= sides.assigned_at then 'holdout' else 'treated' end as arm
    from messages
    left join sides on messages.customer_id = sides.customer_id

),

-- What a person did with a message: a machine that opens it wins no order, and neither does a bill.
touches as (

    select message_id, campaign_id, arm, message_week, customer_id, sent_at, first_human_opened_at as touched_at, 2 as touch_rank
    from told_messages
    where is_opened_by_human and not is_transactional and customer_id is not null
    union all
    select message_id, campaign_id, arm, message_week, customer_id, sent_at, first_clicked_at as touched_at, 1 as touch_rank
    from told_messages
    where is_clicked and not is_transactional and customer_id is not null

),

-- Spans as long as the window: an order meets its messages in its own span or in the one before.
touches_by_span as (

    select
        touches.*,
        cast(floor({{ ratio(days_between("cast('1970-01-01' as date)", 'touches.sent_at'), attribution_days) }}) as integer)
            + spans.n as span
    from touches
    cross join {{ numbers(2) }} as spans

),

orders_by_span as (

    select
        *,
        cast(floor({{ ratio(days_between("cast('1970-01-01' as date)", 'ordered_at'), attribution_days) }}) as integer) as span
    from orders
    where is_valid_order

),

won_orders as (

    select
        touches_by_span.campaign_id,
        touches_by_span.arm,
        touches_by_span.message_week,
        orders_by_span.contribution_margin_amount,
        -- The last touch has the order, and has it alone.
        row_number() over (
            partition by orders_by_span.order_id
            order by
                touches_by_span.touched_at desc nulls last,
                touches_by_span.touch_rank asc nulls last,
                touches_by_span.message_id asc nulls last
        ) as touch_number
    from orders_by_span
    inner join touches_by_span
        on orders_by_span.customer_id = touches_by_span.customer_id
        and orders_by_span.span = touches_by_span.span
        and orders_by_span.ordered_at >= touches_by_span.touched_at
        and orders_by_span.ordered_at < touches_by_span.sent_at + interval {{ attribution_days }} day

),

attributed as (

    select
        campaign_id,
        arm,
        message_week,
        count(*) as attributed_orders,
        sum(contribution_margin_amount) as attributed_margin_amount
    from won_orders
    where touch_number = 1
    group by 1, 2, 3

),

sent_weeks as (

    select
        campaign_id,
        arm,
        message_week,
        count(*) filter (where is_sent) as sent,
        count(*) filter (where is_delivered) as delivered,
        count(*) filter (where is_opened_by_human) as human_opens,
        count(*) filter (where is_opened_by_machine) as machine_opens,
        count(*) filter (where is_clicked) as clicks,
        count(*) filter (where is_bounced) as bounces,
        count(*) filter (where is_complained) as complaints,
        count(*) filter (where is_unsubscribed) as unsubscribes,
        count(*) filter (where is_suppressed) as suppressed,
        count(*) filter (where is_sent_without_consent) as sent_without_consent,
        coalesce(sum(cost_amount), 0) as cost_amount
    from told_messages
    group by 1, 2, 3

),

campaign_weeks as (

    select
        sent_weeks.*,
        coalesce(attributed.attributed_orders, 0) as attributed_orders,
        coalesce(attributed.attributed_margin_amount, 0) as attributed_margin_amount
    from sent_weeks
    left join attributed
        on sent_weeks.campaign_id = attributed.campaign_id
        and sent_weeks.arm = attributed.arm
        and sent_weeks.message_week = attributed.message_week

),

-- Everything that a person was sent, against nothing at all. Who was drawn by its Monday is in a week, ordering or not;
-- the persons are counted as they join, not once per person and week.
joined as (

    select
        arm,
        -- drawn on a Monday, in that week; else from the next on
        cast(date_trunc('week', {{ add_days(shop_day('assigned_at'), 6) }}) as date) as first_week,
        count(*) as persons
    from sides
    group by 1, 2

),

every_week as (

    select distinct message_week as week from campaign_weeks

),

persons_per_week as (

    select
        joined.arm,
        every_week.week,
        sum(joined.persons) as persons
    from every_week
    inner join joined on joined.first_week <= every_week.week
    group by 1, 2

),

margins_of_persons as (

    select
        sides.arm,
        cast(date_trunc('week', orders.ordered_date) as date) as week,
        orders.customer_id,
        sum(cast(orders.contribution_margin_amount as double)) as margin
    from orders
    inner join sides on orders.customer_id = sides.customer_id
    where cast(date_trunc('week', orders.ordered_date) as date)
        >= cast(date_trunc('week', {{ add_days(shop_day('sides.assigned_at'), 6) }}) as date)
    group by 1, 2, 3

),

margins as (

    select
        persons_per_week.arm,
        persons_per_week.week,
        cast(persons_per_week.persons as double) as persons,
        coalesce(sum(margins_of_persons.margin), 0) / persons_per_week.persons as mean_margin,
        -- of those who ordered and those who did not
        (
            coalesce(sum(power(margins_of_persons.margin, 2)), 0)
            - power(coalesce(sum(margins_of_persons.margin), 0), 2) / persons_per_week.persons
        ) / nullif(persons_per_week.persons - 1, 0) as variance
    from persons_per_week
    left join margins_of_persons
        on persons_per_week.arm = margins_of_persons.arm
        and persons_per_week.week = margins_of_persons.week
    group by 1, 2, persons_per_week.persons

),

shop_weeks as (

    select
        'all' as campaign_id,
        arm,
        message_week,
        {% for measure in counted -%}
        sum({{ measure }}) as {{ measure }},
        {% endfor -%}
        sum(cost_amount) as cost_amount,
        sum(attributed_orders) as attributed_orders,
        sum(attributed_margin_amount) as attributed_margin_amount
    from campaign_weeks
    group by 1, 2, 3

),

-- The holdout of a week has its row, although nothing was sent to it.
shop_arms as (

    select
        'all' as campaign_id,
        coalesce(shop_weeks.arm, margins.arm) as arm,
        coalesce(shop_weeks.message_week, margins.week) as message_week,
        {% for measure in counted -%}
        coalesce(shop_weeks.{{ measure }}, 0) as {{ measure }},
        {% endfor -%}
        coalesce(shop_weeks.cost_amount, 0) as cost_amount,
        coalesce(shop_weeks.attributed_orders, 0) as attributed_orders,
        coalesce(shop_weeks.attributed_margin_amount, 0) as attributed_margin_amount,
        margins.persons,
        margins.mean_margin,
        margins.variance
    from shop_weeks
    full outer join margins
        on shop_weeks.arm = margins.arm
        and shop_weeks.message_week = margins.week

),

against_holdout as (

    select
        shop_arms.*,
        case when shop_arms.arm = 'treated' then (shop_arms.mean_margin - holdout.mean_margin) * shop_arms.persons end
            as incremental_margin,
        case
            when shop_arms.arm = 'treated' and shop_arms.persons >= 30 and holdout.persons >= 30
                then 1.959963984540054 * shop_arms.persons
                    * sqrt(shop_arms.variance / shop_arms.persons + holdout.variance / holdout.persons)
        end as half_width
    from shop_arms
    left join margins as holdout
        on shop_arms.message_week = holdout.week
        and holdout.arm = 'holdout'

),

results as (

    select * from against_holdout
    union all
    -- Nobody was held out of one campaign alone, so nobody knows what it added.
    select
        campaign_id,
        arm,
        message_week,
        {% for measure in counted -%}
        {{ measure }},
        {% endfor -%}
        cost_amount,
        attributed_orders,
        attributed_margin_amount,
        cast(null as double) as persons,
        cast(null as double) as mean_margin,
        cast(null as double) as variance,
        cast(null as double) as incremental_margin,
        cast(null as double) as half_width
    from campaign_weeks

),

dated as (

    select
        *,
        {{ add_days('message_week', 6) }} <= {{ as_of_date() }} as is_mature,
        {{ add_days('message_week', 6 + attribution_days) }} <= {{ as_of_date() }} as is_attribution_mature
    from results

),

final as (

    select
        -- keys
        campaign_id,
        arm,
        message_week,

        -- measures
        {% for measure in counted -%}
        cast({{ measure }} as bigint) as {{ measure }},
        {% endfor -%}
        case when is_mature then {{ ratio('delivered', 'sent') }} end as delivery_rate,
        case when is_mature then {{ ratio('clicks', 'delivered') }} end as click_rate,
        case when is_mature then {{ wilson_low('clicks', 'delivered') }} end as click_rate_low,
        case when is_mature then {{ wilson_high('clicks', 'delivered') }} end as click_rate_high,
        case when is_mature then {{ ratio('unsubscribes', 'delivered') }} end as unsubscribe_rate,
        cast(cost_amount as decimal(18, 2)) as cost_amount,
        cast(case when is_attribution_mature then attributed_orders end as bigint) as attributed_orders,
        cast(case when is_attribution_mature then attributed_margin_amount end as decimal(18, 2)) as attributed_margin_amount,
        case when is_attribution_mature then {{ ratio('attributed_margin_amount - cost_amount', 'cost_amount') }} end
            as attributed_roi,
        cast(case when is_mature then persons end as bigint) as drawn_customers,
        case when is_mature then mean_margin end as margin_per_customer,
        cast(round(case when is_mature then incremental_margin end, 2) as decimal(18, 2)) as incremental_margin_amount,
        cast(round(case when is_mature then incremental_margin - half_width end, 2) as decimal(18, 2))
            as incremental_margin_low_amount,
        cast(round(case when is_mature then incremental_margin + half_width end, 2) as decimal(18, 2))
            as incremental_margin_high_amount,
        case when is_mature then {{ ratio('incremental_margin - cost_amount', 'cost_amount') }} end as incremental_roi,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        is_mature,
        is_attribution_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

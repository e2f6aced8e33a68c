{%- set attribution_days = var('campaign_attribution_days') -%}
{#- What is counted of messages, and of which. -#}
{%- set counts = {
    'sent': 'is_sent', 'delivered': 'is_delivered', 'human_opens': 'is_opened_by_human',
    'machine_opens': 'is_opened_by_machine', 'clicks': 'is_clicked', 'bounces': 'is_bounced',
    'complaints': 'is_complained', 'unsubscribes': 'is_unsubscribed', 'suppressed': 'is_suppressed',
    'sent_without_consent': 'is_sent_without_consent',
} -%}
{%- set counted = counts.keys() | list -%}
{%- set costs_and_wins = ['cost_amount', 'attributed_orders', 'attributed_margin_amount'] -%}

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

experiments as (

    select * from {{ ref('stg_experiments') }} -- tombstones wanted: the draws of a deleted experiment go with it

),

campaigns as (

    select * from {{ ref('stg_campaigns') }} -- tombstones wanted: what a deleted campaign did keeps its name

),

-- Where one arm lost units, the arms are no longer alike, and nothing is concluded.
lost_units as (

    select distinct experiment_id
    from {{ ref('fct_experiment_results') }}
    where has_sample_ratio_mismatch

),

-- Everybody drawn into an experiment that keeps some of them out: of the campaign that it tests, or of every message.
draws as (

    select
        assignments.experiment_id,
        coalesce(experiments.campaign_id, 'all') as campaign_id,
        assignments.customer_id,
        case when assignments.is_holdout then 'holdout' else 'treated' end as arm,
        assignments.assigned_at,
        experiments.end_at,
        -- Of all messages whole weeks are told: drawn on a Monday, a person is in that week, else from the next on. A single
        -- campaign does most in the days after the draw, so its person is there from the draw on.
        cast(date_trunc('week', {{ add_days(
            shop_day('assignments.assigned_at'), 'case when experiments.campaign_id is null then 6 else 0 end'
        ) }}) as date) as first_week,
        cast(date_trunc('week', {{ shop_day(
            'experiments.end_at + coalesce(experiments.min_window_days, 0) * interval 1 day'
        ) }}) as date) as last_week,
        min(assignments.assigned_at) over (partition by assignments.experiment_id) as begun_at,
        bool_or(assignments.is_holdout) over (partition by assignments.experiment_id) as has_holdout
    from assignments
    left join experiments on assignments.experiment_id = experiments.experiment_id
    where
        not coalesce(experiments.is_deleted, false)
        -- Who is shown no recommendations gets the messages.
        and experiments.recommendation_slot is null

),

sides as (

    select * from draws
    where has_holdout

),

-- A message to somebody who was held out of it at that moment is in a row of its own, where everybody sees it.
mistakes as (

    select distinct messages.message_id
    from messages
    inner join sides
        on messages.customer_id = sides.customer_id
        and sides.campaign_id in ('all', messages.campaign_id)
        and messages.sent_at >= sides.assigned_at
        and coalesce(messages.sent_at < sides.end_at, true)
    where sides.arm = 'holdout'

),

told_messages as (

    select
        messages.*,
        case when mistakes.message_id is not null then 'holdout' else 'treated' end as arm
    from messages
    left join mistakes on messages.message_id = mistakes.message_id

),

won_orders as (

    {{ orders_won_by_messages('told_messages', 'orders', attribution_days) }}

),

attributed as (

    select
        campaign_id,
        arm,
        message_week,
        count(*) as attributed_orders,
        sum(contribution_margin_amount) as attributed_margin_amount
    from won_orders
    group by 1, 2, 3

),

sent_weeks as (

    select
        campaign_id,
        arm,
        message_week,
        {% for measure, flag in counts.items() -%}
        count(*) filter (where {{ flag }}) as {{ measure }},
        {% endfor -%}
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

sending_weeks as (

    select * from campaign_weeks
    union all
    select
        'all' as campaign_id,
        arm,
        message_week,
        {% for measure in counted + costs_and_wins -%}
        sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from campaign_weeks
    group by 1, 2, 3

),

-- Who was sent it against who was not. Who was drawn is in a week, ordering or not; the persons are counted as they join,
-- not once per person and week.
joined as (

    select
        experiment_id,
        campaign_id,
        begun_at,
        arm,
        first_week,
        last_week,
        count(*) as persons
    from sides
    group by 1, 2, 3, 4, 5, 6

),

every_week as (

    select distinct message_week as week from campaign_weeks

),

persons_per_week as (

    select
        joined.experiment_id,
        joined.campaign_id,
        joined.begun_at,
        joined.arm,
        every_week.week,
        cast(sum(joined.persons) as double) as persons
    from every_week
    inner join joined
        on joined.first_week <= every_week.week
        and coalesce(every_week.week <= joined.last_week, true)
    group by 1, 2, 3, 4, 5

),

weeks_of_persons as (

    select
        sides.experiment_id,
        sides.arm,
        cast(date_trunc('week', orders.ordered_date) as date) as week,
        orders.customer_id,
        -- Decimals, whose sums are the same in any order of rows: half a penny must not go up one night and down the next.
        cast(sum(orders.contribution_margin_amount) as decimal(18, 2)) as margin,
        cast(count(*) filter (where orders.is_valid_order) as decimal(18, 2)) as orders
    from orders
    inner join sides
        on orders.customer_id = sides.customer_id
        and orders.ordered_at >= sides.assigned_at
    where cast(date_trunc('week', orders.ordered_date) as date) >= sides.first_week
    group by 1, 2, 3, 4

),

compared as (

    select
        persons_per_week.experiment_id,
        persons_per_week.campaign_id,
        persons_per_week.arm,
        persons_per_week.week,
        persons_per_week.persons,
        {%- for outcome in ['margin', 'orders'] %}
        {% set total = 'cast(coalesce(sum(weeks_of_persons.' ~ outcome ~ '), 0) as double)' -%}
        {{ total }} / persons_per_week.persons as mean_{{ outcome }},
        -- of those who ordered and those who did not
        (
            cast(coalesce(sum(weeks_of_persons.{{ outcome }} * weeks_of_persons.{{ outcome }}), 0) as double)
            - power({{ total }}, 2) / persons_per_week.persons
        ) / nullif(persons_per_week.persons - 1, 0) as {{ outcome }}_variance,
        {%- endfor %}
        -- Of several experiments on one campaign the latest tells the week.
        rank() over (
            partition by persons_per_week.campaign_id, persons_per_week.week
            order by persons_per_week.begun_at desc nulls last, persons_per_week.experiment_id asc nulls last
        ) as place
    from persons_per_week
    left join weeks_of_persons
        on persons_per_week.experiment_id = weeks_of_persons.experiment_id
        and persons_per_week.arm = weeks_of_persons.arm
        and persons_per_week.week = weeks_of_persons.week
    group by 1, 2, 3, 4, 5, persons_per_week.begun_at

),

arms as (

    select
        compared.*,
        lost_units.experiment_id is null as is_comparable
    from compared
    left join lost_units on compared.experiment_id = lost_units.experiment_id
    where compared.place = 1

),

-- The holdout of a week has its row, although nothing was sent to it.
every_arm as (

    select
        coalesce(sending_weeks.campaign_id, arms.campaign_id) as campaign_id,
        coalesce(sending_weeks.arm, arms.arm) as arm,
        coalesce(sending_weeks.message_week, arms.week) as message_week,
        {% for measure in counted + costs_and_wins -%}
        coalesce(sending_weeks.{{ measure }}, 0) as {{ measure }},
        {% endfor -%}
        arms.experiment_id,
        arms.is_comparable,
        arms.persons,
        arms.mean_margin,
        arms.margin_variance,
        arms.mean_orders,
        arms.orders_variance
    from sending_weeks
    full outer join arms
        on sending_weeks.campaign_id = arms.campaign_id
        and sending_weeks.arm = arms.arm
        and sending_weeks.message_week = arms.week

),

results as (

    select
        every_arm.*,
        {%- for outcome in ['margin', 'orders'] %}
        case
            when every_arm.arm = 'treated' and every_arm.is_comparable
                then (every_arm.mean_{{ outcome }} - holdout.mean_{{ outcome }}) * every_arm.persons
        end as incremental_{{ outcome }},
        case
            when every_arm.arm = 'treated' and every_arm.persons >= 30 and holdout.persons >= 30
                then 1.959963984540054 * every_arm.persons
                    -- Rounding can leave less than nothing of a variance where all bought alike.
                    * sqrt(greatest(
                        every_arm.{{ outcome }}_variance / every_arm.persons
                        + holdout.{{ outcome }}_variance / holdout.persons, 0
                    ))
        end as {{ outcome }}_half_width{{ ',' if not loop.last }}
        {%- endfor %}
    from every_arm
    left join arms as holdout
        on every_arm.campaign_id = holdout.campaign_id
        and every_arm.message_week = holdout.week
        and holdout.arm = 'holdout'

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
        dated.campaign_id,
        dated.arm,
        dated.message_week,
        dated.experiment_id,

        -- attributes
        campaigns.name as campaign_name,
        campaigns.channel as campaign_channel,

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
        case when is_mature then mean_orders end as orders_per_customer,
        case when is_mature then incremental_orders end as incremental_orders,
        case when is_mature then incremental_orders - orders_half_width end as incremental_orders_low,
        case when is_mature then incremental_orders + orders_half_width end as incremental_orders_high,
        case when is_mature then mean_margin end as margin_per_customer,
        cast(round(case when is_mature then incremental_margin end, 2) as decimal(18, 2)) as incremental_margin_amount,
        cast(round(case when is_mature then incremental_margin - margin_half_width end, 2) as decimal(18, 2))
            as incremental_margin_low_amount,
        cast(round(case when is_mature then incremental_margin + margin_half_width end, 2) as decimal(18, 2))
            as incremental_margin_high_amount,
        case when is_mature then {{ ratio('incremental_margin - cost_amount', 'cost_amount') }} end as incremental_roi,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        is_mature,
        is_attribution_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated
    left join campaigns on dated.campaign_id = campaigns.campaign_id

)

select * from final

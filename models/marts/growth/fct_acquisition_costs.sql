with

marketing_spend as (

    select * from {{ ref('stg_marketing_spend') }}
    where
        not is_deleted
        and spend_date <= {{ as_of_date() }}

),

campaigns as (

    select * from {{ ref('stg_campaigns') }}
    where not is_deleted

),

message_events as (

    select * from {{ ref('stg_message_events') }}
    where
        not is_deleted
        and event_type = 'sent'
        and {{ is_known('event_at') }}

),

loyalty_ledger as (

    select * from {{ ref('fct_loyalty_ledger') }}
    where entry_type = 'burn' and is_delivered

),

support_tickets as (

    select * from {{ ref('int_service__tickets') }}
    where compensation_amount > 0

),

referrals as (

    select * from {{ ref('fct_referrals') }}
    where is_reward_granted

),

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

accounts as (

    select * from {{ ref('int_customers__accounts') }}

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

data_window as (

    select * from {{ ref('int_purchases__data_window') }}

),

-- Spend on a campaign that writes to known customers keeps them; all other spend looks for new ones.
spent as (

    select
        {{ month_of('marketing_spend.spend_date') }} as month_start,
        marketing_spend.channel,
        coalesce(campaigns.channel in ('email', 'sms', 'push', 'phone', 'post'), false) as is_retention,
        marketing_spend.spend_amount,
        marketing_spend.impressions,
        marketing_spend.clicks
    from marketing_spend
    left join campaigns on marketing_spend.campaign_id = campaigns.campaign_id

),

acquisition as (

    select
        month_start,
        channel,
        spend_amount as acquisition_spend_amount,
        cast(0 as decimal(18, 2)) as referral_reward_amount,
        coalesce(impressions, 0) as impressions,
        coalesce(clicks, 0) as clicks,
        0 as new_customers
    from spent
    where not is_retention

    union all

    select
        {{ month_of('reward_granted_date') }},
        'referral',
        0,
        coalesce(reward_amount, 0),
        0,
        0,
        0
    from referrals

    union all

    select
        customers.cohort_month,
        coalesce(accounts.acquisition_channel, 'unknown'),
        0,
        0,
        0,
        0,
        1
    from customers
    left join accounts on customers.customer_id = accounts.customer_id

),

retention as (

    select
        month_start,
        spend_amount as retention_spend_amount,
        cast(0 as decimal(18, 2)) as message_cost_amount,
        cast(0 as decimal(18, 2)) as reward_cost_amount,
        cast(0 as decimal(18, 2)) as compensation_amount
    from spent
    where is_retention

    union all

    select
        {{ month_of(shop_day('message_events.event_at')) }},
        0,
        coalesce(campaigns.cost_per_message, 0),
        0,
        0
    from message_events
    inner join campaigns on message_events.campaign_id = campaigns.campaign_id

    union all

    select
        {{ month_of('movement_date') }},
        0,
        0,
        coalesce(money_value_amount, 0),
        0
    from loyalty_ledger

    union all

    select
        {{ month_of(shop_day('opened_at')) }},
        0,
        0,
        0,
        compensation_amount
    from support_tickets

),

acquired as (

    {% for channel in ['channel', "'all'"] -%}
    select
        month_start,
        {{ channel }} as channel,
        {{ money_sum('acquisition_spend_amount') }} as acquisition_spend_amount,
        {{ money_sum('referral_reward_amount') }} as referral_reward_amount,
        cast(sum(impressions) as bigint) as impressions,
        cast(sum(clicks) as bigint) as clicks,
        cast(sum(new_customers) as bigint) as new_customers
    from acquisition
    group by 1, 2
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

kept as (

    select
        month_start,
        {{ money_sum('retention_spend_amount') }} as retention_spend_amount,
        {{ money_sum('message_cost_amount') }} as message_cost_amount,
        {{ money_sum('reward_cost_amount') }} as reward_cost_amount,
        {{ money_sum('compensation_amount') }} as compensation_amount,
        {{ money_sum('retention_spend_amount + message_cost_amount + reward_cost_amount + compensation_amount') }}
            as retention_cost_amount
    from retention
    group by 1

),

-- Kept in the month: who had ordered in an earlier month and ordered again.
returned as (

    select
        ordered_month as month_start,
        cast(count(distinct customer_id) as bigint) as retained_customers
    from occasions
    where ordered_month > cohort_month
    group by 1

),

joined as (

    select
        acquired.*,
        cast(acquired.acquisition_spend_amount + acquired.referral_reward_amount as decimal(18, 2))
            as acquisition_cost_amount,
        acquired.channel = 'all' as is_total,
        coalesce(kept.retention_spend_amount, 0) as retention_spend_amount,
        coalesce(kept.message_cost_amount, 0) as message_cost_amount,
        coalesce(kept.reward_cost_amount, 0) as reward_cost_amount,
        coalesce(kept.compensation_amount, 0) as compensation_amount,
        coalesce(kept.retention_cost_amount, 0) as retention_cost_amount,
        coalesce(returned.retained_customers, 0) as retained_customers,
        {{ end_of_month('acquired.month_start') }} <= {{ as_of_date() }} as is_complete,
        -- Customers of these months may be old ones, seen for the first time.
        coalesce(acquired.month_start < data_window.first_untruncated_date, false) as is_left_truncated
    from acquired
    left join kept on acquired.month_start = kept.month_start
    left join returned on acquired.month_start = returned.month_start
    cross join data_window
    -- Without any spend a new customer would cost what friends are paid, and nothing more.
    where exists (select 1 from marketing_spend)

),

rated as (

    select
        *,
        case when is_complete and not is_left_truncated and acquisition_cost_amount > 0
            then {{ ratio('acquisition_cost_amount', 'new_customers') }} end as cost_per_new_customer,
        case when is_complete and is_total and retention_cost_amount > 0
            then {{ ratio('retention_cost_amount', 'retained_customers') }} end as cost_per_retained_customer
    from joined

),

-- A cost that nobody delivered is unknown and not zero: a shop without spend has no acquisition for nothing.
final as (

    select
        -- keys
        month_start,
        channel,

        -- measures
        acquisition_spend_amount,
        referral_reward_amount,
        acquisition_cost_amount,
        impressions,
        clicks,
        case when is_complete and not is_left_truncated then new_customers end as new_customers,
        cast(round(cost_per_new_customer, 2) as decimal(18, 2)) as cost_per_new_customer_amount,
        {% for column in ['retention_spend_amount', 'message_cost_amount', 'reward_cost_amount', 'compensation_amount',
            'retention_cost_amount'] -%}
        cast(case when is_total then {{ column }} end as decimal(18, 2)) as {{ column }},
        {% endfor -%}
        case when is_complete and is_total then retained_customers end as retained_customers,
        cast(round(cost_per_retained_customer, 2) as decimal(18, 2)) as cost_per_retained_customer_amount,
        {{ ratio('cost_per_new_customer', 'cost_per_retained_customer') }} as times_as_much,
        {{ ratio('cost_per_new_customer', 'cost_per_retained_customer') }} - 1 as times_more,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        is_complete,
        is_left_truncated,

        -- times
        {{ as_of_date() }} as as_of_date

    from rated

)

select * from final

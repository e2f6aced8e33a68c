{%- set window_days = 90 -%}
{%- set first_day_of_window = add_days(as_of_date(), 1 - window_days) -%}

with

-- A profile of somebody who was erased must not exist.
customers as (

    select * from {{ ref('dim_customers') }}
    where not is_erased

),

purchases as (

    select * from {{ ref('int_purchases__customers') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not is_test

),

-- What nobody delivers is unknown, and not zero.
delivered_sources as (

    select
        (select count(*) from {{ ref('stg_support_tickets') }} where not is_deleted) > 0 as has_tickets,
        (select count(*) from {{ ref('int_deliveries__parcels') }}) > 0 as has_parcels

),

tickets as (

    select
        customer_id,
        cast(count(*) as bigint) as ticket_count
    from {{ ref('fct_customer_timeline') }}
    where
        event_type = 'ticket_opened'
        and event_date >= {{ first_day_of_window }}
    group by 1

),

broken_promises as (

    select
        customer_id,
        cast(count(*) as bigint) as broken_promise_count
    from {{ ref('int_deliveries__parcels') }}
    where
        not is_promise_kept
        and promised_date >= {{ first_day_of_window }}
    group by 1

),

nps_answers as (

    select
        identity_map.customer_id,
        answers.score,
        row_number() over (
            partition by identity_map.customer_id
            order by answers.responded_at desc nulls last, answers.response_id desc nulls last
        ) as answer_from_the_last
    from {{ ref('stg_survey_responses') }} as answers
    inner join identity_map on answers.customer_id = identity_map.source_customer_id
    where
        not answers.is_deleted
        and answers.survey_type = 'nps'
        and answers.score is not null
        and {{ is_known('answers.responded_at') }}

),

return_rates as (

    select
        customer_id,
        return_rate
    from {{ ref('int_returns__customers') }}
    where is_current

),

members as (

    select
        customer_id,
        min(started_date) as first_member_date
    from {{ ref('int_membership__spells') }}
    group by 1

),

loyalty as (

    select * from {{ ref('int_loyalty__balances') }}

),

consents as (

    select * from {{ ref('int_consents__current') }}

),

rfm as (

    select * from {{ ref('fct_customer_rfm') }}

),

segments as (

    select * from {{ ref('fct_customer_segments') }}

),

churn as (

    select * from {{ ref('fct_customer_churn') }}

),

customer_values as (

    select * from {{ ref('fct_customer_value') }}

),

next_orders as (

    select * from {{ ref('fct_customer_next_order') }}

),

final as (

    select
        -- keys
        customers.customer_id,

        -- measures: what was bought
        purchases.recency_days,
        customers.occasion_count as frequency,
        purchases.age_days,
        customers.order_count,
        purchases.median_days_between_orders,
        customers.net_amount,
        customers.contribution_margin_amount,
        cast(round({{ ratio('purchases.net_amount', 'purchases.order_count') }}, 2) as decimal(18, 2))
            as average_order_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- measures: what it was like
        return_rates.return_rate,
        case when delivered_sources.has_tickets then coalesce(tickets.ticket_count, 0) end as ticket_count_90d,
        case when delivered_sources.has_parcels then coalesce(broken_promises.broken_promise_count, 0) end
            as broken_promise_count_90d,
        nps_answers.score as last_nps_score,
        loyalty.points_balance,

        -- measures: what is to come
        churn.p_churn_90d,
        customer_values.residual_clv_365d_amount,
        customer_values.total_clv_amount,
        next_orders.next_order_p50_date,

        -- attributes
        customers.lifecycle_stage,
        rfm.rfm_group,
        rfm.recency_score,
        rfm.frequency_score,
        rfm.monetary_score,
        segments.value_tier,
        segments.risk_band,
        segments.category_affinity,
        customers.loyalty_tier,
        customers.country_code,
        customers.first_channel,

        -- flags
        customers.is_member_now,
        members.customer_id is not null as has_been_member,
        loyalty.customer_id is not null as is_in_loyalty_programme,
        {% for channel in consent_channels() -%}
        coalesce(consents.has_{{ channel }}_consent, false) as has_{{ channel }}_consent,
        {% endfor -%}
        coalesce(consents.has_profiling_consent, false) as has_profiling_consent,
        coalesce(consents.has_sharing_consent, false) as has_sharing_consent,
        customers.is_left_truncated,

        -- times
        customers.cohort_month,
        customers.first_ordered_date,
        customers.last_ordered_date,
        members.first_member_date,
        {{ as_of_date() }} as as_of_date

    from customers
    cross join delivered_sources
    left join purchases on customers.customer_id = purchases.customer_id
    left join tickets on customers.customer_id = tickets.customer_id
    left join broken_promises on customers.customer_id = broken_promises.customer_id
    left join nps_answers
        on customers.customer_id = nps_answers.customer_id
        and nps_answers.answer_from_the_last = 1
    left join return_rates on customers.customer_id = return_rates.customer_id
    left join members on customers.customer_id = members.customer_id
    left join loyalty on customers.customer_id = loyalty.customer_id
    left join consents on customers.customer_id = consents.customer_id
    left join rfm on customers.customer_id = rfm.customer_id
    left join segments on customers.customer_id = segments.customer_id
    left join churn on customers.customer_id = churn.customer_id
    left join customer_values on customers.customer_id = customer_values.customer_id
    left join next_orders on customers.customer_id = next_orders.customer_id

)

select * from final

-- Number, money and points of every kind of event, from the other marts where there is one and else from staging.
with

people as (

    select
        source_customer_id,
        customer_id
    from {{ ref('int_identity__map') }}
    where not is_test and not is_erased

),

named as (

    select distinct customer_id from people

),

sources as (

    select
        case when is_sale then 'order' else 'order_without_sale' end as event_type,
        count(*) as event_count,
        sum(case when is_sale then total_amount end) as event_amount,
        cast(null as bigint) as event_points
    from {{ ref('fct_orders') }}
    where customer_id in (select customer_id from named)
    group by 1

    union all

    select 'refund', count(*), -sum(refund_amount + tax_amount + shipping_amount), null
    from {{ ref('fct_refunds') }}
    where customer_id in (select customer_id from named)

    union all

    select case when is_promise_kept then 'delivery' when is_promise_kept is null then 'delivery' else 'late_delivery' end,
        count(*), null, null
    from {{ ref('fct_deliveries') }}
    where customer_id in (select customer_id from named) and delivered_date is not null
    group by 1

    union all

    select 'membership_term_paid', count(*) filter (where payment_status = 'paid' and billing_period <> 'trial'),
        sum(fee_paid_amount), null
    from {{ ref('fct_membership_terms') }}
    where customer_id in (select customer_id from named)

    union all

    select 'membership_payment_failed', count(*), null, null
    from {{ ref('fct_membership_terms') }}
    where customer_id in (select customer_id from named) and payment_status = 'failed' and due_date <= as_of_date

    union all

    select 'membership_ended', count(*), null, null
    from {{ ref('int_membership__spells') }}
    where customer_id in (select customer_id from named) and not is_running

    {% for event_type, column in [('return_requested', 'requested_at'), ('return_received', 'received_at')] -%}
    union all

    select '{{ event_type }}', count(*), null, null
    from {{ ref('stg_returns') }}
    where not is_deleted and {{ shop_day(column) }} <= {{ as_of_date() }}
        and order_id in (
            select order_id from {{ ref('fct_orders') }} where customer_id in (select customer_id from named)
        )

    {% endfor -%}
    {% for event_type, source_table, column in [
        ('account_created', 'customers', 'created_at'),
        ('membership_joined', 'memberships', 'joined_at'),
        ('survey_answered', 'survey_responses', 'responded_at'),
        ('review_written', 'reviews', 'created_at'),
        ('wish_added', 'wishlist_items', 'added_at'),
        ('tier_started', 'loyalty_tier_history', 'valid_from'),
        ('privacy_request_received', 'privacy_requests', 'received_at'),
        ('privacy_request_completed', 'privacy_requests', 'completed_at'),
        ('community_event', 'community_events', 'event_at'),
    ] -%}
    union all

    select '{{ event_type }}', count(*), null, null
    from {{ ref('stg_' ~ source_table) }}
    where not is_deleted and {{ shop_day(column) }} <= {{ as_of_date() }}
        and customer_id in (select source_customer_id from people)

    {% endfor -%}
    union all

    select 'loyalty_' || entry_type, count(*), null, sum(points)
    from {{ ref('stg_loyalty_ledger') }}
    where not is_deleted and {{ shop_day('event_at') }} <= {{ as_of_date() }}
        and customer_id in (select source_customer_id from people)
    group by 1

    union all

    select 'message_' || event_type, count(*), null, null
    from {{ ref('stg_message_events') }}
    where not is_deleted and {{ shop_day('event_at') }} <= {{ as_of_date() }}
        and customer_id in (select source_customer_id from people)
        and event_type in ('sent', 'click', 'complaint', 'unsubscribe')
    group by 1

    union all

    select 'consent_' || status, count(*), null, null
    from {{ ref('stg_consents') }}
    where not is_deleted and {{ shop_day('event_at') }} <= {{ as_of_date() }}
        and customer_id in (select source_customer_id from people)
    group by 1

    union all

    select 'referral_sent', count(*), null, null
    from {{ ref('stg_referrals') }}
    where not is_deleted and {{ shop_day('invited_at') }} <= {{ as_of_date() }}
        and referrer_customer_id in (select source_customer_id from people)

    union all

    select 'referral_rewarded', count(*), -sum(reward_amount), null
    from {{ ref('stg_referrals') }}
    where not is_deleted and {{ shop_day('reward_granted_at') }} <= {{ as_of_date() }}
        and referrer_customer_id in (select source_customer_id from people)

    union all

    select 'benefit_used', count(*), null, null
    from {{ ref('stg_membership_benefit_usage') }}
    where not is_deleted and {{ shop_day('used_at') }} <= {{ as_of_date() }}
        and membership_id in (
            select membership_id from {{ ref('stg_memberships') }}
            where not is_deleted and customer_id in (select source_customer_id from people)
        )

    union all

    select 'web_session', count(*), null, null
    from {{ ref('fct_sessions') }}
    where customer_id in (select customer_id from named) and not is_suspected_bot

    union all

    select 'ticket_opened', count(*),
        -sum(case when resolved_at is null or {{ shop_day('resolved_at') }} <= {{ as_of_date() }} then compensation_amount end),
        null
    from {{ ref('stg_support_tickets') }}
    where not is_deleted and {{ shop_day('opened_at') }} <= {{ as_of_date() }}
        and (order_id is null or order_id not in (select order_id from {{ ref('stg_orders') }} where is_test))
        and (
            customer_id in (select source_customer_id from people)
            or (customer_id is null and order_id in (
                select order_id from {{ ref('fct_orders') }} where customer_id in (select customer_id from named)
            ))
        )

),

timeline as (

    select
        event_type,
        count(*) as event_count,
        sum(event_amount) as event_amount,
        sum(event_points) as event_points
    from {{ ref('fct_customer_timeline') }}
    group by 1

)

select
    coalesce(sources.event_type, timeline.event_type) as event_type,
    sources.event_count as source_event_count,
    timeline.event_count,
    sources.event_amount as source_event_amount,
    timeline.event_amount,
    sources.event_points as source_event_points,
    timeline.event_points

from sources
full outer join timeline on sources.event_type = timeline.event_type
where
    coalesce(sources.event_count, 0) <> coalesce(timeline.event_count, 0)
    or coalesce(sources.event_amount, 0) <> coalesce(timeline.event_amount, 0)
    or coalesce(sources.event_points, 0) <> coalesce(timeline.event_points, 0)

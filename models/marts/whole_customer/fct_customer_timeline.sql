{#- Events that name an account, each from one staged table: type, table, key, time, amount, points, condition. Money is
    positive where it comes to the shop and negative where it goes to the customer. -#}
{%- set account_events = [
    ("'account_created'", 'customers', 'customer_id', 'created_at', none, none, none),
    ("'membership_joined'", 'memberships', 'membership_id', 'joined_at', none, none, none),
    ("'survey_answered'", 'survey_responses', 'response_id', 'responded_at', none, none, none),
    ("'review_written'", 'reviews', 'review_id', 'created_at', none, none, none),
    ("'wish_added'", 'wishlist_items',
        "md5(concat_ws('|', customer_id, variant_id, cast(added_at as " ~ string_type() ~ ")))", 'added_at', none, none, none),
    ("'loyalty_' || entry_type", 'loyalty_ledger', 'ledger_entry_id', 'event_at', none, 'points', none),
    ("'tier_started'", 'loyalty_tier_history',
        "md5(concat_ws('|', customer_id, cast(valid_from as " ~ string_type() ~ ")))", 'valid_from', none, none, none),
    ("'message_' || event_type", 'message_events', 'message_event_id', 'event_at', none, none,
        "event_type in ('sent', 'click', 'complaint', 'unsubscribe')"),
    ("'consent_' || status", 'consents', 'consent_event_id', 'event_at', none, none, none),
    ("'privacy_request_received'", 'privacy_requests', 'request_id', 'received_at', none, none, none),
    ("'privacy_request_completed'", 'privacy_requests', 'request_id', 'completed_at', none, none, none),
    ("'community_event'", 'community_events',
        "md5(concat_ws('|', customer_id, cast(event_at as " ~ string_type() ~ "), community_type, event_type))", 'event_at',
        none, none, none),
    ("'referral_sent'", 'referrals', 'referral_id', 'invited_at', none, none, none),
    ("'referral_rewarded'", 'referrals', 'referral_id', 'reward_granted_at', '-reward_amount', none, none),
] -%}

with

-- A life of events is a profile: who was erased has none. The money of the orders stays in fct_orders.
identity_map as (

    select * from {{ ref('int_identity__map') }}
    where
        not is_test
        and not is_erased

),

people as (

    select distinct customer_id from identity_map

),

orders as (

    select * from {{ ref('int_orders__valued') }}
    where
        customer_id is not null
        and not is_test_order

),

account_events as (

    {% for event_type, source_table, source_key, event_at, amount, points, condition in account_events -%}
    select
        {{ event_type }} as event_type,
        '{{ source_table }}' as source_table,
        {{ source_key }} as source_key,
        {{ 'referrer_customer_id' if source_table == 'referrals' else 'customer_id' }} as source_customer_id,
        {{ event_at }} as event_at,
        {% if amount %}{{ amount }}{% else %}cast(null as decimal(18, 2)){% endif %} as event_amount,
        {% if points %}{{ points }}{% else %}cast(null as integer){% endif %} as event_points
    from {{ ref('stg_' ~ source_table) }}
    where
        not is_deleted
        and {{ is_known(event_at) }}
        {%- if condition %}
        and {{ condition }}
        {%- endif %}
    {% if not loop.last %}
    union all

    {% endif -%}
    {% endfor %}
),

order_events as (

    -- What was called off, is unpaid or was fraud is an event all the same, and no money.
    select
        case when is_sale then 'order' else 'order_without_sale' end as event_type,
        'orders' as source_table,
        order_id as source_key,
        customer_id,
        ordered_at as event_at,
        case when is_sale then total_amount end as event_amount
    from orders

    union all

    select
        'refund' as event_type,
        'refunds' as source_table,
        refunds.refund_line_id as source_key,
        orders.customer_id,
        refunds.refunded_at as event_at,
        -(refunds.refund_amount + refunds.tax_amount + refunds.shipping_amount) as event_amount
    from {{ ref('int_orders__refunds') }} as refunds
    inner join orders on refunds.order_id = orders.order_id

    union all

    {% for event_type, event_at in [
        ('return_requested', 'returns.requested_at'),
        ('return_received', 'returns.received_at'),
    ] -%}
    select
        '{{ event_type }}' as event_type,
        'returns' as source_table,
        returns.return_id as source_key,
        orders.customer_id,
        {{ event_at }} as event_at,
        cast(null as decimal(18, 2)) as event_amount
    from {{ ref('stg_returns') }} as returns
    inner join orders on returns.order_id = orders.order_id
    where
        not returns.is_deleted
        and {{ is_known(event_at) }}

    union all

    {% endfor -%}
    select
        case when not parcels.is_promise_kept then 'late_delivery' else 'delivery' end as event_type,
        'shipments' as source_table,
        parcels.shipment_id as source_key,
        parcels.customer_id,
        shipments.delivered_at as event_at,
        cast(null as decimal(18, 2)) as event_amount
    from {{ ref('int_deliveries__parcels') }} as parcels
    inner join {{ ref('stg_shipments') }} as shipments on parcels.shipment_id = shipments.shipment_id
    where parcels.delivered_date is not null

),

membership_events as (

    -- The time of day where it was delivered, else the day.
    select
        case when terms.payment_status = 'failed' then 'membership_payment_failed' else 'membership_term_paid' end
            as event_type,
        'membership_terms' as source_table,
        terms.membership_term_id as source_key,
        terms.customer_id,
        case
            when terms.payment_status = 'failed'
                then coalesce(staged.due_at, cast(terms.due_date as timestamp))
            else coalesce(staged.paid_at, staged.due_at, cast(terms.paid_date as timestamp))
        end as event_at,
        case when terms.payment_status <> 'failed' then terms.fee_paid_amount end as event_amount
    from {{ ref('int_membership__terms') }} as terms
    inner join {{ ref('stg_membership_terms') }} as staged on terms.membership_term_id = staged.membership_term_id
    where
        (terms.payment_status = 'paid' and terms.billing_period <> 'trial')
        or (terms.payment_status = 'failed' and terms.due_date <= {{ as_of_date() }})

    union all

    select
        'membership_ended' as event_type,
        'memberships' as source_table,
        concat_ws('|', last_membership_id, cast(spell_number as {{ string_type() }})) as source_key,
        customer_id,
        cast(ended_date as timestamp) as event_at,
        cast(null as decimal(18, 2)) as event_amount
    from {{ ref('int_membership__spells') }}
    where ended_date is not null

    union all

    select
        'benefit_used' as event_type,
        'membership_benefit_usage' as source_table,
        benefit_usage.usage_id as source_key,
        identity_map.customer_id,
        benefit_usage.used_at as event_at,
        cast(null as decimal(18, 2)) as event_amount
    from {{ ref('stg_membership_benefit_usage') }} as benefit_usage
    inner join {{ ref('stg_memberships') }} as memberships on benefit_usage.membership_id = memberships.membership_id
    inner join identity_map on memberships.customer_id = identity_map.source_customer_id
    where
        not benefit_usage.is_deleted
        and not memberships.is_deleted
        and {{ is_known('benefit_usage.used_at') }}

),

-- Visits of which it is known whose they were, machines left out.
session_events as (

    select
        'web_session' as event_type,
        'web_events' as source_table,
        session_key as source_key,
        customer_id,
        started_at as event_at,
        cast(null as decimal(18, 2)) as event_amount
    from {{ ref('int_web__sessions') }}
    where
        customer_id is not null
        and not is_suspected_bot
        and not is_test_session

),

-- What was given at the end of a ticket is no money while the ticket is open.
ticket_events as (

    select
        'ticket_opened' as event_type,
        'support_tickets' as source_table,
        ticket_id as source_key,
        customer_id,
        opened_at as event_at,
        nullif(-compensation_amount, 0) as event_amount
    from {{ ref('int_service__tickets') }}
    where customer_id is not null

),

all_events as (

    select
        account_events.event_type,
        account_events.source_table,
        account_events.source_key,
        identity_map.customer_id,
        account_events.event_at,
        account_events.event_amount,
        account_events.event_points
    from account_events
    inner join identity_map on account_events.source_customer_id = identity_map.source_customer_id

    union all

    select
        personal.*,
        cast(null as integer) as event_points
    from (
        select * from order_events
        union all
        select * from membership_events
        union all
        select * from session_events
        union all
        select * from ticket_events
    ) as personal
    inner join people on personal.customer_id = people.customer_id

),

final as (

    select
        -- keys
        customer_id,
        event_type,
        source_table,
        -- A customer's own id is none of the event's.
        case when source_table = 'customers' then md5(source_key) else source_key end as source_key,

        -- measures
        cast(event_amount as decimal(18, 2)) as event_amount,
        cast(event_points as bigint) as event_points,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- times
        event_at,
        {{ shop_day('event_at') }} as event_date,
        {{ as_of_date() }} as as_of_date

    from all_events

)

select * from final

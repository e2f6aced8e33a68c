-- By the delivered words themselves: a current yes of a person that one of the accounts took back, by a consent, by
-- unsubscribing or by a request, or never gave.
with

last_words as (

    select
        identity_map.customer_id,
        consents.customer_id as source_customer_id,
        consents.channel,
        consents.purpose,
        consents.status,
        consents.event_at,
        max(consents.event_at) over (
            partition by consents.customer_id, consents.channel, consents.purpose
        ) as last_event_at
    from {{ ref('stg_consents') }} as consents
    inner join {{ ref('int_identity__map') }} as identity_map
        on consents.customer_id = identity_map.source_customer_id
    where
        not consents.is_deleted
        and {{ shop_day('consents.event_at') }} <= {{ as_of_date() }}

),

closed_channels as (

    select
        source_customer_id,
        channel,
        max(event_at) as closed_at
    from last_words
    where status in ('bounced', 'complained')
    group by 1, 2

),

stops as (

    select
        events.customer_id as source_customer_id,
        campaigns.channel,
        max(events.event_at) as stopped_at
    from {{ ref('stg_message_events') }} as events
    inner join {{ ref('stg_campaigns') }} as campaigns on events.campaign_id = campaigns.campaign_id
    where
        not events.is_deleted
        and events.event_type in ('unsubscribe', 'complaint')
        and {{ shop_day('events.event_at') }} <= {{ as_of_date() }}
    group by 1, 2

),

objections as (

    select
        customer_id as source_customer_id,
        max(received_at) as objected_at
    from {{ ref('stg_privacy_requests') }}
    where
        not is_deleted
        and request_type in ('erasure', 'restrict', 'opt_out_marketing')
        and {{ shop_day('received_at') }} <= {{ as_of_date() }}
    group by 1

)

select
    consents.customer_id,
    consents.channel,
    consents.purpose,
    consents.consent_event_id,
    last_words.status,
    closed_channels.closed_at,
    stops.stopped_at,
    objections.objected_at

from {{ ref('fct_consents') }} as consents
left join last_words
    on consents.customer_id = last_words.customer_id
    and consents.channel = last_words.channel
    and consents.purpose = last_words.purpose
    and last_words.event_at = last_words.last_event_at
left join closed_channels
    on last_words.source_customer_id = closed_channels.source_customer_id
    and last_words.channel = closed_channels.channel
left join stops
    on last_words.source_customer_id = stops.source_customer_id
    and last_words.channel = stops.channel
    and last_words.purpose = 'marketing'
left join objections
    on last_words.source_customer_id = objections.source_customer_id
    and last_words.purpose = 'marketing'
where
    consents.is_current
    and consents.is_granted
    and (
        last_words.status is null
        or last_words.status <> 'granted'
        -- A channel that closed stays so until a later word on this purpose.
        or last_words.event_at < closed_channels.closed_at
        or last_words.event_at <= stops.stopped_at
        or last_words.event_at <= objections.objected_at
    )

with

events as (

    select * from {{ ref('stg_web_events') }}
    where
        not is_deleted
        and {{ is_known('event_at') }}

),

identity_map as (

    -- What an erased person did on the site is nobody's: only the books keep the person apart.
    select * from {{ ref('int_identity__map') }}
    where not is_erased

),

-- A session happens on one device; only where the site names none does the account stand for it.
visits as (

    select
        events.*,
        coalesce('device:' || events.anonymous_id, 'account:' || events.customer_id) as visitor_key,
        identity_map.customer_id as person_id,
        coalesce(identity_map.is_test, false) as is_test_account
    from events
    left join identity_map on events.customer_id = identity_map.source_customer_id

),

followed as (

    select
        *,
        lag(event_at) over visit as previous_event_at
    from visits
    window visit as (
        partition by visitor_key, session_id order by event_at asc nulls last, event_id asc nulls last
    )

),

-- What the site calls one session is one, however long it is silent; elsewhere silence ends it, and midnight does not.
started as (

    select
        *,
        previous_event_at is null or (
            session_id is null
            and {{ seconds_between('previous_event_at', 'event_at') }} >= 60 * {{ var('web_session_timeout_minutes') }}
        ) as is_session_start
    from followed

),

numbered as (

    select
        *,
        sum(case when is_session_start then 1 else 0 end) over (
            partition by visitor_key, session_id
            order by event_at asc nulls last, event_id asc nulls last
            rows between unbounded preceding and current row
        ) as session_number
    from started

),

final as (

    select
        -- keys
        event_id,
        concat_ws('|', visitor_key, coalesce(session_id, ''), cast(cast(session_number as bigint) as {{ string_type() }}))
            as visit_key,
        anonymous_id as device_id,
        person_id as customer_id,
        variant_id,
        order_id,

        -- measures
        quantity,

        -- attributes
        event_type,
        case when event_type = 'checkout_step' then lower(detail) end as checkout_step,
        recommendation_method,
        recommendation_slot,
        case when is_session_start then coalesce(lower(device_type), 'unknown') end as entry_device_type,
        case when is_session_start then coalesce(platform, 'unknown') end as entry_platform,
        case when is_session_start then {{ entry_channel('utm_source', 'utm_medium', 'referrer') }} end as entry_channel,
        case when is_session_start then utm_campaign end as entry_campaign_tag,

        -- flags
        is_session_start,
        is_test_account,

        -- times
        event_at

    from numbered

)

select * from final

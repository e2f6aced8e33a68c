with

sessions as (

    select * from {{ ref('int_web__sessions') }}
    where
        not is_test_session
        and not is_suspected_bot
        and customer_id is not null

),

-- A session that names no device happened on one of its kind.
devices as (

    select
        customer_id,
        coalesce(device_id, platform || '|' || device_type) as device,
        max(platform) as platform,
        count(*) as sessions,
        count(*) filter (where device_type = 'mobile') as mobile_sessions,
        count(*) filter (where platform in ('ios', 'android')) as app_sessions,
        count(*) filter (where purchase_count > 0) as purchase_sessions,
        count(*) filter (where purchase_count > 0 and platform in ('ios', 'android')) as app_purchase_sessions
    from sessions
    group by 1, 2

),

final as (

    select
        -- keys
        customer_id,

        -- measures
        cast(count(*) as bigint) as device_count,
        cast(count(distinct platform) as bigint) as platform_count,
        cast(sum(sessions) as bigint) as sessions,
        cast(sum(app_sessions) as bigint) as app_sessions,
        cast(sum(mobile_sessions) as bigint) as mobile_sessions,
        cast(sum(purchase_sessions) as bigint) as purchase_sessions,
        cast(sum(app_purchase_sessions) as bigint) as app_purchase_sessions,
        1 - {{ ratio('max(sessions)', 'sum(sessions)') }} as cross_device_share,
        {{ ratio('sum(app_sessions)', 'sum(sessions)') }} as app_session_share,

        -- flags
        count(*) > 1 as is_cross_device,

        -- times
        {{ as_of_date() }} as as_of_date

    from devices
    group by 1

)

select * from final

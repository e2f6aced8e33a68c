with

sessions as (

    select * from {{ ref('int_web__sessions') }}
    where not is_test_session

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

orders as (

    select * from {{ ref('fct_orders') }}

),

memberships as (

    select * from {{ ref('stg_memberships') }}
    where
        not is_deleted
        and {{ is_known('joined_at') }}

),

campaigns as (

    select * from {{ ref('stg_campaigns') }}
    where not is_deleted

),

-- What the customer was when the session began, and when the next order came: all that happened to a customer in one
-- line of time, read once. `place` puts what happens at the same moment in order: a membership counts from its first
-- moment and not in its last, and an order is made in a session and not before it.
moments as (

    select
        customer_id,
        started_at as happened_at,
        3 as place,
        session_key,
        cast(null as timestamp) as ordered_at,
        0 as membership_change
    from sessions
    where customer_id is not null

    union all

    select
        customer_id,
        ordered_at as happened_at,
        4 as place,
        cast(null as {{ string_type() }}) as session_key,
        ordered_at,
        0 as membership_change
    from orders
    where is_valid_order and customer_id is not null

    union all

    select
        identity_map.customer_id,
        memberships.joined_at as happened_at,
        1 as place,
        cast(null as {{ string_type() }}) as session_key,
        cast(null as timestamp) as ordered_at,
        1 as membership_change
    from memberships
    inner join identity_map on memberships.customer_id = identity_map.source_customer_id

    union all

    select
        identity_map.customer_id,
        memberships.ended_at as happened_at,
        2 as place,
        cast(null as {{ string_type() }}) as session_key,
        cast(null as timestamp) as ordered_at,
        -1 as membership_change
    from memberships
    inner join identity_map on memberships.customer_id = identity_map.source_customer_id
    where memberships.ended_at is not null

),

states as (

    select
        session_key,
        max(ordered_at) over until_now as last_ordered_at,
        min(ordered_at) over from_now as next_ordered_at,
        sum(membership_change) over until_now as running_memberships
    from moments
    window
        until_now as (
            partition by customer_id order by happened_at asc nulls last, place asc nulls last
            range between unbounded preceding and current row
        ),
        from_now as (
            partition by customer_id order by happened_at asc nulls last, place asc nulls last
            range between current row and unbounded following
        )

),

states_of_sessions as (

    select
        session_key,
        {{ shop_day('last_ordered_at') }} as last_ordered_date,
        {{ shop_day('next_ordered_at') }} as next_ordered_date,
        running_memberships > 0 as is_member
    from states
    where session_key is not null

),

-- The next day with a session of the same person, or on the device of somebody unknown: a break for lunch is no return.
visitor_days as (

    select
        'person:' || customer_id as visitor,
        session_date
    from sessions
    where customer_id is not null and not is_suspected_bot

    union

    select
        'device:' || device_id as visitor,
        session_date
    from sessions
    where device_id is not null and not is_suspected_bot

),

next_visits as (

    select
        visitor,
        session_date,
        lead(session_date) over (partition by visitor order by session_date asc nulls last) as next_session_date
    from visitor_days

),

final as (

    select
        -- keys
        sessions.session_key,
        sessions.customer_id,
        sessions.order_id,
        campaigns.campaign_id as entry_campaign_id,

        -- measures
        sessions.event_count,
        sessions.page_view_count,
        sessions.product_view_count,
        sessions.search_count,
        sessions.zero_result_search_count,
        sessions.cart_add_count,
        sessions.checkout_step_count,
        sessions.promo_rejected_count,
        sessions.error_count,
        sessions.recommendation_click_count,
        sessions.purchase_count,
        cast(floor({{ seconds_between('sessions.started_at', 'sessions.ended_at') }}) as bigint) as duration_seconds,
        {{ days_between('states_of_sessions.last_ordered_date', 'sessions.session_date') }} as days_since_last_order,
        {{ days_between('sessions.session_date', 'states_of_sessions.next_ordered_date') }} as days_to_next_order,
        {{ days_between('sessions.session_date', 'next_visits.next_session_date') }} as days_to_next_visit,

        -- attributes
        sessions.device_type,
        sessions.platform,
        sessions.entry_channel,
        sessions.recognised_by,
        case
            when states_of_sessions.is_member then 'member'
            when states_of_sessions.last_ordered_date is null then 'new'
            when {{ days_between('states_of_sessions.last_ordered_date', 'sessions.session_date') }} > {{ var('lapse_days') }}
                then 'lapsed'
            else 'existing'
        end as customer_state,
        case
            when sessions.purchase_count > 0 then 'purchase'
            when sessions.checkout_event_count > 0 then 'checkout'
            when sessions.cart_add_count > 0 then 'cart'
            when sessions.product_view_count > 0 then 'product'
            else 'visit'
        end as furthest_step,

        -- flags
        sessions.has_account as is_logged_in,
        sessions.purchase_count > 0 as has_purchased,
        sessions.zero_result_search_count > 0 as has_zero_result_search,
        sessions.promo_rejected_count > 0 as has_promo_rejected,
        sessions.error_count > 0 as has_error,
        sessions.checkout_event_count > 0 and sessions.purchase_count = 0 as has_checkout_drop,
        sessions.is_suspected_bot,

        -- times
        sessions.started_at,
        sessions.ended_at,
        sessions.session_date,
        {{ as_of_date() }} as as_of_date

    from sessions
    left join states_of_sessions on sessions.session_key = states_of_sessions.session_key
    left join next_visits
        on coalesce('person:' || sessions.customer_id, 'device:' || sessions.device_id) = next_visits.visitor
        and sessions.session_date = next_visits.session_date
    left join campaigns on sessions.entry_campaign_tag = campaigns.campaign_id

)

select * from final

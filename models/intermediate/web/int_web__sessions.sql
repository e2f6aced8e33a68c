with

events as (

    select * from {{ ref('int_web__session_events') }}

),

orders as (

    select * from {{ ref('int_orders__valued') }}

),

-- A page of thanks that is loaded again is no second purchase: the first event of an order is its purchase.
purchase_events as (

    select
        events.visit_key,
        events.event_at,
        events.event_id,
        orders.order_id,
        case when orders.customer_id not like 'erased:%' then orders.customer_id end as customer_id,
        -- An order that the shop did not deliver is believed to be one; a test, or one that was called off, is none.
        coalesce(orders.is_sale, true) as is_sale,
        coalesce(orders.is_test_order, false) as is_test_order,
        row_number() over (
            partition by coalesce(events.order_id, events.event_id)
            order by events.event_at asc nulls last, events.event_id asc nulls last
        ) as occurrence
    from events
    left join orders on events.order_id = orders.order_id
    where events.event_type = 'purchase'

),

purchases as (

    select
        *,
        row_number() over (
            partition by visit_key
            order by case when is_sale then 0 else 1 end asc nulls last, event_at asc nulls last, event_id asc nulls last
        ) as place
    from purchase_events
    where occurrence = 1

),

purchases_per_visit as (

    select
        visit_key,
        cast(count(*) filter (where is_sale) as bigint) as purchase_count,
        max(case when place = 1 and is_sale then order_id end) as order_id,
        -- Two buyers in one session are nobody in particular.
        case when min(customer_id) = max(customer_id) then min(customer_id) end as buyer_id,
        bool_or(is_test_order) as is_test
    from purchases
    group by 1

),

visits as (

    select
        visit_key,
        max(device_id) as device_id,
        max(case when is_session_start then event_id end) as first_event_id,
        max(entry_device_type) as device_type,
        max(entry_platform) as platform,
        max(entry_channel) as entry_channel,
        max(entry_campaign_tag) as entry_campaign_tag,
        min(customer_id) as first_account_person,
        max(customer_id) as last_account_person,
        bool_or(is_test_account) as is_test,
        cast(count(*) as bigint) as event_count,
        cast(count(*) filter (where event_type = 'page_view') as bigint) as page_view_count,
        cast(count(*) filter (where event_type = 'product_view') as bigint) as product_view_count,
        cast(count(*) filter (where event_type in ('search', 'search_zero_results')) as bigint) as search_count,
        cast(count(*) filter (where event_type = 'search_zero_results') as bigint) as zero_result_search_count,
        cast(count(*) filter (where event_type = 'add_to_cart') as bigint) as cart_add_count,
        cast(count(*) filter (where event_type = 'checkout_step') as bigint) as checkout_event_count,
        cast(count(distinct checkout_step) as bigint) as checkout_step_count,
        cast(count(*) filter (where event_type = 'promo_rejected') as bigint) as promo_rejected_count,
        cast(count(*) filter (where event_type = 'error') as bigint) as error_count,
        cast(count(*) filter (where event_type = 'recommendation_click') as bigint) as recommendation_click_count,
        min(event_at) as started_at,
        max(event_at) as ended_at

    from events
    group by 1

),

named as (

    select
        visits.*,
        purchases_per_visit.order_id,
        coalesce(purchases_per_visit.purchase_count, 0) as purchase_count,
        visits.is_test or coalesce(purchases_per_visit.is_test, false) as is_test_session,
        -- Several people who logged in within one session: nobody can say whose the rest of it is.
        case
            when visits.first_account_person = visits.last_account_person then visits.first_account_person
            when visits.first_account_person is null then purchases_per_visit.buyer_id
        end as own_customer_id,
        visits.first_account_person is not null as has_account,
        visits.first_account_person is not null or purchases_per_visit.buyer_id is not null as is_named

    from visits
    left join purchases_per_visit on visits.visit_key = purchases_per_visit.visit_key

),

-- A device that many people log in on is a till, a kiosk or a test machine.
shared_devices as (

    select device_id
    from named
    where device_id is not null and own_customer_id is not null
    group by 1
    having count(distinct own_customer_id) > {{ var('web_device_max_customers') }}

),

spans as (

    select
        named.*,
        shared_devices.device_id is null as is_own_device,
        count(case when named.is_named then 1 end) over (
            partition by named.device_id
            order by named.started_at asc nulls last, named.visit_key asc nulls last
            rows between unbounded preceding and current row
        ) as span_number
    from named
    left join shared_devices on named.device_id = shared_devices.device_id

),

-- Forward only: who logged in on the device last is taken to be there until another does. Sessions before the first
-- login stay unknown, so that a login of today changes no figure of yesterday.
carried as (

    select
        *,
        case
            when device_id is not null and is_own_device and span_number > 0
                then max(own_customer_id) over (partition by device_id, span_number)
        end as device_customer_id,
        -- Whoever tests the shop goes on testing it on the same device.
        device_id is not null and is_own_device and span_number > 0
            and bool_or(is_named and is_test_session) over (partition by device_id, span_number) as is_device_of_test
    from spans

),

final as (

    select
        -- keys
        visit_key,
        -- An id of a browser, even hashed, can be looked up by whoever has the ids: the first event names the session.
        md5(first_event_id) as session_key,
        device_id,
        case when is_named then own_customer_id else device_customer_id end as customer_id,
        order_id,

        -- measures
        event_count,
        page_view_count,
        product_view_count,
        search_count,
        zero_result_search_count,
        cart_add_count,
        checkout_event_count,
        checkout_step_count,
        promo_rejected_count,
        error_count,
        recommendation_click_count,
        purchase_count,

        -- attributes
        device_type,
        platform,
        entry_channel,
        entry_campaign_tag,
        case
            when has_account and own_customer_id is not null then 'account'
            when own_customer_id is not null then 'order'
            when not is_named and device_customer_id is not null then 'device'
            else 'nobody'
        end as recognised_by,

        -- flags
        has_account,
        -- by its own word, or by doing more than a person does
        device_type in ('bot', 'crawler', 'spider') or event_count > {{ var('web_session_max_events') }} as is_suspected_bot,
        is_test_session or (not is_named and is_device_of_test) as is_test_session,

        -- times
        started_at,
        ended_at,
        {{ shop_day('started_at') }} as session_date

    from carried

)

select * from final

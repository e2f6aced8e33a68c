with

valued_orders as (

    select
        order_id,
        channel,
        checkout_method,
        country_code
    from {{ ref('int_orders__valued') }}

),

orders as (

    select
        orders.customer_id,
        orders.ordered_date,
        valued_orders.channel,
        valued_orders.checkout_method,
        valued_orders.country_code
    from {{ ref('int_scores__orders') }} as orders
    inner join valued_orders on orders.order_id = valued_orders.order_id

),

-- Goods that were not what was bought; that they fit nobody or were not liked is no fault of the shop.
faulty_orders as (

    select distinct order_id
    from {{ ref('int_returns__items') }}
    where reason_code in ('defect', 'not_as_described', 'wrong_item')

),

parcels as (

    select
        parcels.*,
        valued_orders.channel,
        valued_orders.checkout_method,
        valued_orders.country_code,
        parcels.parcel_status in ('lost', 'returned_to_sender') as is_lost,
        faulty_orders.order_id is not null as is_faulty
    from {{ ref('int_deliveries__parcels') }} as parcels
    inner join valued_orders on parcels.order_id = valued_orders.order_id
    left join faulty_orders on parcels.order_id = faulty_orders.order_id
    where
        parcels.is_promise_kept is not null
        and parcels.promised_date <= {{ as_of_date() }}

),

spells as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by started_date asc nulls last, program asc nulls last, spell_number asc nulls last
        ) as spell_of_customer
    from {{ ref('int_membership__spells') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not coalesce(is_test, false)

),

tier_history as (

    select
        identity_map.customer_id,
        {{ shop_day('tier_history.valid_from') }} as reached_date,
        row_number() over (
            partition by identity_map.customer_id
            order by tier_history.valid_from asc nulls last, tier_history.tier asc nulls last
        ) as tier_of_customer
    from {{ ref('stg_loyalty_tier_history') }} as tier_history
    inner join identity_map on tier_history.customer_id = identity_map.source_customer_id
    where
        not tier_history.is_deleted
        and {{ is_known('tier_history.valid_from') }}

),

referrals as (

    select
        {{ shop_day('invited_at') }} as invited_date,
        referrer_customer_id,
        referred_customer_id
    from {{ ref('stg_referrals') }}
    where
        not is_deleted
        and {{ is_known('invited_at') }}

),

friends as (

    select
        identity_map.customer_id,
        min(referrals.invited_date) as invited_date
    from referrals
    inner join identity_map on referrals.referred_customer_id = identity_map.source_customer_id
    group by 1

),

tickets as (

    select
        ticket_id,
        customer_id,
        order_id,
        channel,
        reason_code,
        opened_date,
        {{ shop_day('resolved_at') }} as resolved_date,
        compensation_amount,
        case
            when is_reopened or csat_score <= 2 or not is_resolved_in_target then true
            when first_response_at is not null
                then
                    {{ seconds_between('opened_at', 'first_response_at') }}
                    > 3600 * {{ support_reply_target_hours('channel') }}
            -- Solved without a word before.
            when is_resolved_in_target then false
        end as is_bad
    from {{ ref('int_service__tickets') }}
    where customer_id is not null

),

sessions as (

    select
        customer_id,
        platform,
        session_date,
        promo_rejected_count > 0 as is_code_refused
    from {{ ref('int_web__sessions') }}
    where
        customer_id is not null
        and not is_suspected_bot
        and not is_test_session
        and (checkout_event_count > 0 or purchase_count > 0 or promo_rejected_count > 0)

),

broken_promises as (

    select
        order_id,
        min(promised_date) as promised_date
    from parcels
    where not is_promise_kept
    group by 1

),

order_days as (

    select
        customer_id,
        ordered_date,
        min(channel) as channel,
        min(checkout_method) as checkout_method,
        min(country_code) as country_code,
        row_number() over (partition by customer_id order by ordered_date asc nulls last) as order_day_number
    from orders
    group by 1, 2

),

parcel_occasions as (

    -- Whether a parcel is late shows at the end of the promised day, and whatever comes after it begins there. What a
    -- customer did while it was on its way may follow from it already.
    {% for event_name, is_exposed, condition in [
        ('late_delivery', 'not is_promise_kept', 'not is_lost'),
        ('lost_parcel', 'true', 'is_lost'),
        ('faulty_goods', 'true', 'not is_lost and is_faulty'),
    ] -%}
    select
        customer_id,
        '{{ event_name }}' as event_name,
        promised_date as event_date,
        least({{ add_days('ordered_date', 1) }}, promised_date) as known_before_date,
        {{ is_exposed }} as is_exposed,
        channel,
        checkout_method,
        country_code,
        concat(service_level, ' by ', carrier) as handling
    from parcels
    where {{ condition }}
    {% if not loop.last %}
    union all

    {% endif -%}
    {% endfor %}
),

-- What is decided at a checkout; its order says where, and by whom.
checkout_occasions as (

    select
        customer_id,
        'order_placed' as event_name,
        ordered_date as event_date,
        false as is_exposed
    from order_days

    union all

    select
        customer_id,
        'membership_joined',
        started_date,
        true
    from spells
    where spell_of_customer = 1

    union all

    -- A customer's first tier is where everybody begins.
    select
        customer_id,
        'loyalty_tier_reached',
        reached_date,
        true
    from tier_history
    where tier_of_customer = 2

    union all

    select
        order_days.customer_id,
        'came_by_referral',
        order_days.ordered_date,
        coalesce(invited.invited_date <= order_days.ordered_date, false)
    from order_days
    left join friends as invited on order_days.customer_id = invited.customer_id
    where
        order_days.order_day_number = 1
        and exists (select 1 from friends)

    union all

    select
        identity_map.customer_id,
        'friend_invited',
        referrals.invited_date,
        true
    from referrals
    inner join identity_map on referrals.referrer_customer_id = identity_map.source_customer_id

),

occasions as (

    select * from parcel_occasions

    union all

    select
        checkout_occasions.customer_id,
        checkout_occasions.event_name,
        checkout_occasions.event_date,
        checkout_occasions.event_date as known_before_date,
        checkout_occasions.is_exposed,
        order_days.channel,
        order_days.checkout_method,
        order_days.country_code,
        cast(null as {{ string_type() }}) as handling
    from checkout_occasions
    left join order_days
        on
            checkout_occasions.customer_id = order_days.customer_id
            and checkout_occasions.event_date = order_days.ordered_date

    union all

    -- Whether a ticket goes well is decided by the shop, so what comes of it begins when it is opened.
    select
        tickets.customer_id,
        'bad_service' as event_name,
        tickets.opened_date as event_date,
        tickets.opened_date as known_before_date,
        tickets.is_bad as is_exposed,
        tickets.channel,
        cast(null as {{ string_type() }}) as checkout_method,
        cast(null as {{ string_type() }}) as country_code,
        case when broken_promises.promised_date <= tickets.opened_date then 'broken promise' else tickets.reason_code end
            as handling
    from tickets
    left join broken_promises on tickets.order_id = broken_promises.order_id
    where tickets.is_bad is not null

    union all

    -- Only among those to whom something had gone wrong: a promise, or the ticket itself.
    select
        tickets.customer_id,
        'service_recovery' as event_name,
        tickets.resolved_date as event_date,
        tickets.opened_date as known_before_date,
        tickets.compensation_amount > 0 as is_exposed,
        tickets.channel,
        cast(null as {{ string_type() }}) as checkout_method,
        cast(null as {{ string_type() }}) as country_code,
        concat(
            case when broken_promises.promised_date <= tickets.opened_date then 'broken promise' else tickets.reason_code end,
            case when tickets.is_bad then ', bad service' else '' end
        ) as handling
    from tickets
    left join broken_promises on tickets.order_id = broken_promises.order_id
    where
        tickets.resolved_date is not null
        and (tickets.is_bad or broken_promises.promised_date <= tickets.opened_date)

    union all

    select
        sessions.customer_id,
        'promo_code_refused' as event_name,
        sessions.session_date as event_date,
        sessions.session_date as known_before_date,
        sessions.is_code_refused as is_exposed,
        sessions.platform as channel,
        order_days.checkout_method,
        order_days.country_code,
        cast(null as {{ string_type() }}) as handling
    from sessions
    left join order_days
        on
            sessions.customer_id = order_days.customer_id
            and sessions.session_date = order_days.ordered_date

    union all

    -- The end of a trial, paid on or not. Who had cancelled by then is known to leave, so that what is known ends before.
    select
        customer_id,
        'membership_trial_paid' as event_name,
        coalesce(first_paid_date, paid_through_date) as event_date,
        started_date as known_before_date,
        first_paid_date is not null as is_exposed,
        cast(null as {{ string_type() }}) as channel,
        cast(null as {{ string_type() }}) as checkout_method,
        cast(null as {{ string_type() }}) as country_code,
        first_plan_code as handling
    from spells
    where
        spell_of_customer = 1
        and has_trial
        and (first_paid_date is not null or ended_date is not null)

),

-- The worst of a day counts.
days as (

    select
        customer_id,
        event_name,
        event_date,
        min(known_before_date) as known_before_date,
        bool_or(is_exposed) as is_exposed,
        min(channel) as channel,
        min(checkout_method) as checkout_method,
        min(country_code) as country_code,
        min(handling) as handling
    from occasions
    where
        customer_id is not null
        and event_date <= {{ as_of_date() }}
    group by 1, 2, 3

),

customer_days as (

    select
        customer_id,
        event_date,
        max(case
            when
                is_exposed
                and event_name in
                ('late_delivery', 'lost_parcel', 'faulty_goods', 'bad_service', 'promo_code_refused')
                then 1
            else 0
        end) as bad_experiences
    from days
    group by 1, 2

),

counted as (

    select
        customer_id,
        event_date,
        cast(coalesce(sum(bad_experiences) over (
            partition by customer_id
            order by event_date asc nulls last
            rows between unbounded preceding and 1 preceding
        ), 0) as bigint) as earlier_bad_experiences
    from customer_days

),

final as (

    select
        -- keys
        days.customer_id,
        days.event_name,
        days.event_date,

        -- measures
        counted.earlier_bad_experiences,

        -- attributes
        days.channel,
        days.checkout_method,
        days.country_code,
        days.handling,

        -- flags
        days.is_exposed,

        -- times
        days.known_before_date

    from days
    inner join counted
        on
            days.customer_id = counted.customer_id
            and days.event_date = counted.event_date

)

select * from final

{#- Every kind of occasion: its name, where it is found, its day, the day before which nothing that is known of the
    customer follows from it, whether the event came true, what was done, and which rows.
    Whether a parcel is late shows at the end of the promised day, and whatever comes after it begins there; what a
    customer did while it was on its way may follow from it already. Whether a ticket goes well is decided by the shop,
    so what comes of it begins when it is opened. A recovery is only for those to whom something had gone wrong: a
    promise, or the ticket itself. A trial ends paid on or not; who had cancelled by then is known to leave. -#}
{%- set parcel_begins = 'least(' ~ add_days('ordered_date', 1) ~ ', promised_date)' -%}
{%- set parcel_handling = "concat(service_level, ' by ', carrier)" -%}
{%- set nothing_alike = 'cast(null as ' ~ string_type() ~ ')' -%}
{%- set recovery_handling = "concat(matter, case when is_bad then ', bad service' else '' end)" -%}
{%- set bad_experiences = ['late_delivery', 'lost_parcel', 'faulty_goods', 'bad_service', 'promo_code_refused'] -%}
{%- set occasions = [
    ("'late_delivery'", 'parcels', 'promised_date', parcel_begins, 'not is_promise_kept', parcel_handling,
        'not is_lost'),
    ("'lost_parcel'", 'parcels', 'promised_date', parcel_begins, 'true', parcel_handling, 'is_lost'),
    ("'faulty_goods'", 'parcels', 'promised_date', parcel_begins, 'true', parcel_handling, 'not is_lost and is_faulty'),
    ('event_name', 'checkouts', 'event_date', 'event_date', 'is_exposed', nothing_alike, 'true'),
    ("'bad_service'", 'tickets', 'opened_date', 'opened_date', 'is_bad', 'matter', 'is_bad is not null'),
    ("'service_recovery'", 'tickets', 'resolved_date', 'opened_date', 'compensation_amount > 0', recovery_handling,
        'resolved_date is not null and (is_bad or is_promise_broken)'),
    ("'promo_code_refused'", 'sessions', 'session_date', 'session_date', 'is_code_refused', nothing_alike, 'true'),
    ("'membership_trial_paid'", 'trials', 'coalesce(first_paid_date, paid_through_date)', 'started_date',
        'first_paid_date is not null', 'first_plan_code', 'true'),
] -%}

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

broken_promises as (

    select
        order_id,
        min(promised_date) as promised_date
    from parcels
    where not is_promise_kept
    group by 1

),

tickets as (

    select
        tickets.customer_id,
        tickets.channel,
        cast(null as {{ string_type() }}) as checkout_method,
        cast(null as {{ string_type() }}) as country_code,
        tickets.opened_date,
        {{ shop_day('tickets.resolved_at') }} as resolved_date,
        tickets.compensation_amount,
        coalesce(broken_promises.promised_date <= tickets.opened_date, false) as is_promise_broken,
        case when broken_promises.promised_date <= tickets.opened_date then 'broken promise'
            else tickets.reason_code end as matter,
        case
            when tickets.is_reopened or tickets.csat_score <= 2 or not tickets.is_resolved_in_target then true
            when tickets.first_response_at is not null
                then
                    {{ seconds_between('tickets.opened_at', 'tickets.first_response_at') }}
                    > 3600 * {{ support_reply_target_hours('tickets.channel') }}
            -- Solved without a word before.
            when tickets.is_resolved_in_target then false
        end as is_bad
    from {{ ref('int_service__tickets') }} as tickets
    left join broken_promises on tickets.order_id = broken_promises.order_id
    where tickets.customer_id is not null

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

sessions as (

    select
        sessions.customer_id,
        sessions.platform as channel,
        order_days.checkout_method,
        order_days.country_code,
        sessions.session_date,
        sessions.promo_rejected_count > 0 as is_code_refused
    from {{ ref('int_web__sessions') }} as sessions
    left join order_days
        on
            sessions.customer_id = order_days.customer_id
            and sessions.session_date = order_days.ordered_date
    where
        sessions.customer_id is not null
        and not sessions.is_suspected_bot
        and not sessions.is_test_session
        and (sessions.checkout_event_count > 0 or sessions.purchase_count > 0 or sessions.promo_rejected_count > 0)

),

trials as (

    select
        *,
        cast(null as {{ string_type() }}) as channel,
        cast(null as {{ string_type() }}) as checkout_method,
        cast(null as {{ string_type() }}) as country_code
    from spells
    where
        spell_of_customer = 1
        and has_trial
        and (first_paid_date is not null or ended_date is not null)

),

-- What is decided at a checkout; its order says where, and by whom.
decisions as (

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

checkouts as (

    select
        decisions.*,
        order_days.channel,
        order_days.checkout_method,
        order_days.country_code
    from decisions
    left join order_days
        on
            decisions.customer_id = order_days.customer_id
            and decisions.event_date = order_days.ordered_date

),

occasions as (

    {% for event_name, relation, event_date, known_before_date, is_exposed, handling, which in occasions -%}
    select
        customer_id,
        {{ event_name }} as event_name,
        {{ event_date }} as event_date,
        {{ known_before_date }} as known_before_date,
        {{ is_exposed }} as is_exposed,
        channel,
        checkout_method,
        country_code,
        {{ handling }} as handling
    from {{ relation }}
    where {{ which }}
    {% if not loop.last %}
    union all

    {% endif -%}
    {% endfor %}
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
        max(case when is_exposed and event_name in ('{{ bad_experiences | join("', '") }}') then 1 else 0 end)
            as bad_experiences
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

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

parcels as (

    select
        parcels.*,
        valued_orders.channel,
        valued_orders.checkout_method,
        valued_orders.country_code
    from {{ ref('int_deliveries__parcels') }} as parcels
    inner join valued_orders on parcels.order_id = valued_orders.order_id
    where
        parcels.is_promise_kept is not null
        and parcels.promised_date <= {{ as_of_date() }}

),

-- Goods that were not what was bought; that they fit nobody or were not liked is no fault of the shop.
faulty_orders as (

    select distinct order_id
    from {{ ref('int_returns__items') }}
    where reason_code in ('defect', 'not_as_described', 'wrong_item')

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
    select
        customer_id,
        'late_delivery' as event_name,
        promised_date as event_date,
        least({{ add_days('ordered_date', 1) }}, promised_date) as known_before_date,
        not is_promise_kept as is_exposed,
        channel,
        checkout_method,
        country_code,
        concat(service_level, ' by ', carrier) as handling
    from parcels
    where parcel_status not in ('lost', 'returned_to_sender')

    union all

    select
        customer_id,
        'lost_parcel',
        promised_date,
        least({{ add_days('ordered_date', 1) }}, promised_date),
        true,
        channel,
        checkout_method,
        country_code,
        concat(service_level, ' by ', carrier)
    from parcels
    where parcel_status in ('lost', 'returned_to_sender')

    union all

    select
        parcels.customer_id,
        'faulty_goods',
        parcels.promised_date,
        least({{ add_days('parcels.ordered_date', 1) }}, parcels.promised_date),
        true,
        parcels.channel,
        parcels.checkout_method,
        parcels.country_code,
        concat(parcels.service_level, ' by ', parcels.carrier)
    from parcels
    inner join faulty_orders on parcels.order_id = faulty_orders.order_id
    where parcels.parcel_status not in ('lost', 'returned_to_sender')

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
        coalesce(friends.invited_date <= order_days.ordered_date, false)
    from order_days
    left join friends on order_days.customer_id = friends.customer_id
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

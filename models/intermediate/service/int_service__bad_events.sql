{#- Days before and after a bad event in which a customer who speaks up is taken to speak of it: who waits for a parcel asks
    before the promised day is over. -#}
{%- set days_before = 7 -%}
{%- set days_after = contact_days() -%}
{%- set return_events = {
    'defect': 'defective_item',
    'wrong_item': 'wrong_item',
    'not_as_described': 'not_as_described',
} -%}

with

orders as (

    select
        order_id,
        customer_id
    from {{ ref('int_orders__valued') }}
    where customer_id is not null and not is_test_order

),

parcels as (

    select * from {{ ref('int_deliveries__parcels') }}
    where not is_promise_kept or parcel_status in ('lost', 'returned_to_sender')

),

return_items as (

    select * from {{ ref('int_returns__items') }}
    where reason_code in ('{{ return_events | join("', '") }}')

),

returns as (

    select * from {{ ref('stg_returns') }}
    where
        not is_deleted
        and status = 'rejected'
        and {{ is_known('coalesce(closed_at, requested_at)') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not is_test

),

-- Whoever logged in, bought, or was known on the device.
refused_codes as (

    select * from {{ ref('int_web__sessions') }}
    where
        promo_rejected_count > 0
        and customer_id is not null
        and not is_suspected_bot
        and not is_test_session

),

tickets as (

    select * from {{ ref('int_service__tickets') }}

),

surveys as (

    select * from {{ ref('int_feedback__surveys') }}
    where is_answered

),

reviews as (

    select
        identity_map.customer_id,
        {{ shop_day('reviews.created_at') }} as written_date
    from {{ ref('stg_reviews') }} as reviews
    inner join identity_map on reviews.customer_id = identity_map.source_customer_id
    where
        not reviews.is_deleted
        and {{ is_public_review('reviews') }}

),

happened as (

    -- The promise breaks on the promised day; of a parcel that was lost before, nobody says when.
    select
        orders.customer_id,
        orders.order_id,
        case parcels.parcel_status
            when 'lost' then 'lost_parcel'
            when 'returned_to_sender' then 'undelivered_parcel'
            else 'late_delivery'
        end as event_type,
        least(coalesce(parcels.promised_date, parcels.shipped_date), {{ as_of_date() }}) as happened_date
    from parcels
    inner join orders on parcels.order_id = orders.order_id

    union all

    select
        orders.customer_id,
        orders.order_id,
        case return_items.reason_code
            {% for reason, event_type in return_events.items() -%}
            when '{{ reason }}' then '{{ event_type }}'
            {% endfor -%}
        end as event_type,
        return_items.requested_date as happened_date
    from return_items
    inner join orders on return_items.order_id = orders.order_id

    union all

    select
        orders.customer_id,
        orders.order_id,
        'refused_return' as event_type,
        {{ shop_day('coalesce(returns.closed_at, returns.requested_at)') }} as happened_date
    from returns
    inner join orders on returns.order_id = orders.order_id

    union all

    select
        customer_id,
        cast(null as {{ string_type() }}) as order_id,
        'refused_promo_code' as event_type,
        session_date as happened_date
    from refused_codes

),

-- Two late parcels of an order, or a code tried three times in a day, are one experience.
experienced as (

    select
        event_type || ':' || coalesce(order_id, customer_id || ' ' || cast(happened_date as {{ string_type() }}))
            as bad_event_id,
        min(customer_id) as customer_id,
        min(order_id) as order_id,
        min(event_type) as event_type,
        min(happened_date) as happened_date

    from happened
    group by 1

),

-- About the order, or of the customer about none in particular.
spoken_in_tickets as (

    select
        experienced.bad_event_id,
        tickets.*
    from experienced
    inner join tickets on experienced.order_id = tickets.order_id
    where
        tickets.opened_date between {{ add_days('experienced.happened_date', -days_before) }}
        and {{ add_days('experienced.happened_date', days_after) }}

    union all

    select
        experienced.bad_event_id,
        tickets.*
    from experienced
    inner join tickets on experienced.customer_id = tickets.customer_id
    where
        (tickets.order_id is null or experienced.order_id is null)
        and tickets.opened_date between {{ add_days('experienced.happened_date', -days_before) }}
        and {{ add_days('experienced.happened_date', days_after) }}

),

ranked_tickets as (

    select
        *,
        row_number() over (
            partition by bad_event_id
            order by opened_at asc nulls last, ticket_id asc nulls last
        ) as ticket_rank
    from spoken_in_tickets

),

tickets_per_event as (

    select
        bad_event_id,
        cast(count(*) as bigint) as ticket_count,
        {{ money_sum('compensation_amount') }} as compensation_amount,
        bool_or(ticket_rank = 1 and is_resolved_in_target) as is_resolved_in_target,
        bool_or(ticket_rank = 1 and not is_resolved_in_target) as is_resolved_late,
        max(case when ticket_rank = 1 then csat_score end) as csat_score
    from ranked_tickets
    group by 1

),

surveys_per_event as (

    select distinct experienced.bad_event_id
    from experienced
    inner join surveys on experienced.customer_id = surveys.customer_id
    where
        surveys.answered_date between experienced.happened_date
        and {{ add_days('experienced.happened_date', days_after) }}

),

reviews_per_event as (

    select distinct experienced.bad_event_id
    from experienced
    inner join reviews on experienced.customer_id = reviews.customer_id
    where
        reviews.written_date between experienced.happened_date
        and {{ add_days('experienced.happened_date', days_after) }}

),

-- Nobody was heard before tickets were delivered, and nobody was silent.
first_ticket as (

    select min(opened_date) as first_opened_date from tickets

),

final as (

    select
        -- keys
        experienced.bad_event_id,
        experienced.customer_id,
        experienced.order_id,

        -- measures
        cast(row_number() over (
            partition by experienced.customer_id
            order by experienced.happened_date asc nulls last, experienced.bad_event_id asc nulls last
        ) as bigint) as event_number,
        cast(row_number() over (
            partition by experienced.customer_id, experienced.event_type
            order by experienced.happened_date asc nulls last, experienced.bad_event_id asc nulls last
        ) as bigint) as event_number_of_type,
        coalesce(tickets_per_event.ticket_count, 0) as ticket_count,
        cast(coalesce(tickets_per_event.compensation_amount, 0) as decimal(18, 2)) as compensation_amount,
        tickets_per_event.csat_score,

        -- attributes
        experienced.event_type,
        case
            when tickets_per_event.is_resolved_in_target then 'in_target'
            when tickets_per_event.is_resolved_late then 'late'
            when tickets_per_event.bad_event_id is not null then 'undecided'
            when {{ add_days('experienced.happened_date', days_after) }} > {{ as_of_date() }} then 'undecided'
            else 'no_ticket'
        end as resolution,

        -- flags
        tickets_per_event.bad_event_id is not null as has_ticket,
        surveys_per_event.bad_event_id is not null as has_answered_survey,
        reviews_per_event.bad_event_id is not null as has_public_review,
        -- Whoever has not spoken may still do so until the days are over.
        case
            when
                tickets_per_event.bad_event_id is not null
                or surveys_per_event.bad_event_id is not null
                or reviews_per_event.bad_event_id is not null
                then false
            when {{ add_days('experienced.happened_date', days_after) }} <= {{ as_of_date() }} then true
        end as is_silent,
        coalesce(experienced.happened_date >= first_ticket.first_opened_date, false) as is_ticket_known,
        {{ add_days('experienced.happened_date', days_after) }} <= {{ as_of_date() }} as is_decided,

        -- times
        experienced.happened_date

    from experienced
    left join tickets_per_event on experienced.bad_event_id = tickets_per_event.bad_event_id
    left join surveys_per_event on experienced.bad_event_id = surveys_per_event.bad_event_id
    left join reviews_per_event on experienced.bad_event_id = reviews_per_event.bad_event_id
    cross join first_ticket

)

select * from final

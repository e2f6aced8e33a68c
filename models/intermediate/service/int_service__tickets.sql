with

tickets as (

    select * from {{ ref('stg_support_tickets') }}
    where
        not is_deleted
        and {{ is_known('opened_at') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

orders as (

    select
        order_id,
        customer_id,
        is_test_order
    from {{ ref('int_orders__valued') }}

),

-- A shop that delivers no first answers was not slow to answer.
delivered as (

    select
        count(first_response_at) > 0 as has_first_responses,
        count(resolved_at) > 0 as has_resolutions
    from tickets

),

-- What was settled after the night was still open to it, and what was said and given at the end with it.
known as (

    select
        tickets.ticket_id,
        coalesce(identity_map.customer_id, orders.customer_id) as customer_id,
        tickets.customer_id as source_customer_id,
        tickets.order_id,
        tickets.channel,
        coalesce(tickets.reason_code, 'unknown') as reason_code,
        tickets.priority,
        coalesce(tickets.handled_by, case when tickets.channel = 'bot' then 'bot' end) as handled_by,
        tickets.agent_group,
        tickets.opened_at,
        case when {{ is_known('tickets.first_response_at') }} then tickets.first_response_at end as first_response_at,
        case when {{ is_known('tickets.resolved_at') }} then tickets.resolved_at end as resolved_at,
        coalesce(
            {{ is_known('tickets.resolved_at') }},
            lower(tickets.status) in ('resolved', 'solved', 'closed'),
            false
        ) as is_resolved,
        coalesce({{ is_known('tickets.resolved_at') }}, true) as is_known_to_its_end,
        tickets.reopened_count,
        tickets.compensation_amount,
        tickets.csat_score,
        delivered.has_first_responses,
        delivered.has_resolutions

    from tickets
    left join identity_map on tickets.customer_id = identity_map.source_customer_id
    left join orders on tickets.order_id = orders.order_id
    cross join delivered
    where
        not coalesce(identity_map.is_test, false)
        and not coalesce(orders.is_test_order, false)

),

timed as (

    select
        *,
        {{ seconds_between('opened_at', 'first_response_at') }} as first_response_seconds,
        {{ seconds_between('opened_at', 'resolved_at') }} as resolution_seconds,
        {{ seconds_between('opened_at', end_of_night()) }} as waiting_seconds,
        case when is_known_to_its_end then reopened_count end as known_reopened_count
    from known

),

final as (

    select
        -- keys
        ticket_id,
        customer_id,
        source_customer_id,
        order_id,

        -- measures
        cast(floor(first_response_seconds / 60) as bigint) as first_response_minutes,
        cast(floor(resolution_seconds / 60) as bigint) as resolution_minutes,
        known_reopened_count as reopened_count,
        cast(case when is_known_to_its_end then coalesce(compensation_amount, 0) else 0 end as decimal(18, 2))
            as compensation_amount,
        case when is_known_to_its_end then csat_score end as csat_score,

        -- attributes
        channel,
        reason_code,
        priority,
        coalesce(handled_by, 'unknown') as handled_by,
        coalesce(agent_group, case when handled_by = 'bot' then 'none' else 'unknown' end) as agent_group,

        -- flags; one that time has not decided yet, or that was never delivered, is NULL
        {% for hours, name in [
            (var('support_reply_hours'), 'is_answered_in_target'),
            (var('support_reply_limit_hours'), 'is_answered_within_limit'),
        ] -%}
        case
            when not has_first_responses then cast(null as boolean)
            when first_response_at is not null then first_response_seconds <= {{ hours }} * 3600
            -- Solved without a word before: answered by then at the latest.
            when resolved_at is not null then case when resolution_seconds <= {{ hours }} * 3600 then true end
            when not is_resolved and waiting_seconds > {{ hours }} * 3600 then false
        end as {{ name }},
        {% endfor -%}
        case
            when not has_resolutions then cast(null as boolean)
            when resolved_at is not null then resolution_seconds <= {{ var('support_resolution_hours') }} * 3600
            when not is_resolved and waiting_seconds > {{ var('support_resolution_hours') }} * 3600 then false
        end as is_resolved_in_target,
        is_resolved,
        known_reopened_count > 0 as is_reopened,
        coalesce(handled_by in ('bot', 'both') or channel = 'bot', false) as is_bot_started,
        -- A bot contains a matter if it settles it alone and for good; while the matter is open, nobody knows.
        case
            when not coalesce(handled_by in ('bot', 'both') or channel = 'bot', false) then cast(null as boolean)
            when handled_by <> 'bot' or coalesce(known_reopened_count, 0) > 0 then false
            when is_resolved then true
        end as is_contained_by_bot,

        -- times
        opened_at,
        first_response_at,
        resolved_at,
        {{ shop_day('opened_at') }} as opened_date

    from timed

)

select * from final

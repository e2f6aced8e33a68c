with

return_items as (

    select * from {{ ref('int_returns__items') }}

),

orders as (

    select order_id from {{ ref('int_orders__valued') }}
    where not is_test_order

),

tickets as (

    select
        ticket_id,
        order_id,
        opened_date
    from {{ ref('int_service__tickets') }}

),

-- A shop without tickets is not a shop without questions.
first_ticket as (

    select min(opened_date) as first_opened_date from tickets

),

returns as (

    select
        return_items.return_id,
        min(return_items.order_id) as order_id,
        min(coalesce(return_items.return_channel, 'unknown')) as return_channel,
        min(return_items.requested_date) as requested_date

    from return_items
    inner join orders on return_items.order_id = orders.order_id
    group by 1

),

-- A ticket is about the return that was asked for last before it.
ranked_contacts as (

    select
        returns.return_id,
        row_number() over (
            partition by tickets.ticket_id
            order by returns.requested_date desc nulls last, returns.return_id asc nulls last
        ) as return_rank

    from returns
    inner join tickets
        on returns.order_id = tickets.order_id
        and tickets.opened_date between returns.requested_date
        and {{ add_days('returns.requested_date', contact_days()) }}

),

contacts as (

    select
        return_id,
        cast(count(*) as bigint) as contact_count
    from ranked_contacts
    where return_rank = 1
    group by 1

),

followed as (

    select
        {{ month_of('returns.requested_date') }} as requested_month,
        returns.return_channel,
        case
            when returns.requested_date >= first_ticket.first_opened_date then coalesce(contacts.contact_count, 0)
        end as contact_count

    from returns
    left join contacts on returns.return_id = contacts.return_id
    cross join first_ticket

),

counted as (

    {% for channel in ['return_channel', "'all'"] -%}
    select
        requested_month,
        {{ channel }} as return_channel,
        cast(count(*) as bigint) as returns,
        cast(count(*) filter (where return_channel = 'self_service') as bigint) as self_service_returns,
        cast(count(contact_count) as bigint) as contact_eligible_returns,
        cast(sum(contact_count) as bigint) as contacts
    from followed
    group by 1, 2
    {{ 'union all' if not loop.last }}

    {% endfor %}
),

dated as (

    select
        *,
        {{ end_of_month('requested_month') }} <= {{ as_of_date() }} as is_mature,
        {{ add_days(end_of_month('requested_month'), contact_days()) }} <= {{ as_of_date() }} as is_contact_mature
    from counted

),

final as (

    select
        -- keys
        requested_month,
        return_channel,

        -- measures
        returns,
        self_service_returns,
        {% for name, share in [
            ('self_service_share', ratio('self_service_returns', 'returns')),
            ('self_service_share_low', wilson_low('self_service_returns', 'returns')),
            ('self_service_share_high', wilson_high('self_service_returns', 'returns')),
        ] -%}
        case when is_mature and return_channel = 'all' then {{ share }} end as {{ name }},
        {% endfor -%}
        case when is_contact_mature then contact_eligible_returns end as contact_eligible_returns,
        case when is_contact_mature then contacts end as contacts,
        case when is_contact_mature then 1000 * {{ ratio('contacts', 'contact_eligible_returns') }} end
            as contacts_per_1000_returns,
        case when is_contact_mature then 1000 * {{ ratio(count_low('contacts'), 'contact_eligible_returns') }} end
            as contacts_per_1000_returns_low,
        case when is_contact_mature then 1000 * {{ ratio(count_high('contacts'), 'contact_eligible_returns') }} end
            as contacts_per_1000_returns_high,

        -- flags
        is_mature,
        is_contact_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

{#- Days after the promised day for which customers are followed. -#}
{%- set horizon_days = 90 -%}

with

parcels as (

    select * from {{ ref('int_deliveries__parcels') }}
    where promised_date is not null and promised_date <= {{ as_of_date() }}

),

occasions as (

    select
        customer_id,
        ordered_date,
        {{ add_days('ordered_date', '-days_since_previous') }} as previous_ordered_date
    from {{ ref('int_purchases__occasions') }}

),

tickets as (

    select
        order_id,
        opened_date
    from {{ ref('int_service__tickets') }}
    where order_id is not null

),

-- A shop without tickets is not a shop without questions.
first_ticket as (

    select min(opened_date) as first_opened_date from {{ ref('int_service__tickets') }}

),

contacts as (

    select
        parcels.shipment_id,
        cast(count(*) as bigint) as contact_count

    from parcels
    inner join tickets
        on parcels.order_id = tickets.order_id
        and tickets.opened_date <= {{ add_days('parcels.promised_date', contact_days()) }}
    where parcels.is_leading_parcel
    group by 1

),

final as (

    select
        -- keys
        parcels.shipment_id,
        parcels.customer_id,

        -- measures
        parcels.days_late,
        parcels.delay_notice_hours,
        case
            when parcels.ordered_date >= first_ticket.first_opened_date then coalesce(contacts.contact_count, 0)
        end as contact_count,

        -- attributes
        parcels.carrier,
        parcels.service_level,
        parcels.parcel_status,

        -- flags
        parcels.is_promise_kept,
        parcels.has_delay_notice,
        parcels.is_address_changed,
        parcels.customer_id is not null as has_customer,
        -- The first occasion after the promised day. Kept and late parcels are followed from the same day, so that the
        -- delay itself does not eat into the days of the late ones.
        occasions.customer_id is not null as has_repurchased,

        -- times
        parcels.promised_date,
        {{ add_days('parcels.promised_date', contact_days()) }} as contacts_known_on,
        {{ add_days('parcels.promised_date', horizon_days) }} as repurchase_known_on

    from parcels
    left join contacts on parcels.shipment_id = contacts.shipment_id
    cross join first_ticket
    left join occasions
        on parcels.customer_id = occasions.customer_id
        and parcels.promised_date < occasions.ordered_date
        and occasions.ordered_date <= {{ add_days('parcels.promised_date', horizon_days) }}
        and coalesce(occasions.previous_ordered_date, cast('1900-01-01' as date)) <= parcels.promised_date

)

select * from final

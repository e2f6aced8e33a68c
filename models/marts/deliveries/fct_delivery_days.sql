{#- How many days a parcel was early or late, in groups: (place, name, condition). -#}
{%- set groups = [
    (1, '3_or_more_days_early', 'days_late <= -3'),
    (2, '1_or_2_days_early', 'days_late in (-2, -1)'),
    (3, 'on_the_day', 'days_late = 0'),
    (4, '1_or_2_days_late', 'days_late in (1, 2)'),
    (5, '3_or_more_days_late', 'days_late >= 3'),
    (6, 'never_came', "parcel_status in ('lost', 'returned_to_sender')"),
] -%}

with

-- Followed to the end: each parcel by its own days, so that no month has to be whole.
parcels as (

    select
        *,
        case
            {% for place, name, condition in groups -%}
            when {{ condition }} then {{ place }}
            {% endfor -%}
        end as group_place,
        repurchase_known_on <= {{ as_of_date() }} and has_customer as is_followed,
        contacts_known_on <= {{ as_of_date() }} as is_contact_known
    from {{ ref('int_deliveries__promises') }}

),

counted as (

    select
        service_level,
        group_place,
        cast(count(*) as bigint) as deliveries,
        cast(count(contact_count) filter (where is_contact_known) as bigint) as contact_eligible_deliveries,
        cast(sum(contact_count) filter (where is_contact_known) as bigint) as contacts,
        cast(count(*) filter (where is_followed) as bigint) as followed_deliveries,
        cast(count(*) filter (where is_followed and has_repurchased) as bigint) as repurchased_deliveries

    from parcels
    where group_place is not null
    group by 1, 2

),

-- What every group is compared with: a promise kept to the day.
compared as (

    select
        counted.*,
        on_the_day.followed_deliveries as other_followed_deliveries,
        on_the_day.repurchased_deliveries as other_repurchased_deliveries

    from counted
    left join counted as on_the_day
        on counted.service_level = on_the_day.service_level
        and on_the_day.group_place = 3
        and counted.group_place <> 3

),

final as (

    select
        -- keys
        service_level,
        case group_place
            {% for place, name, condition in groups -%}
            when {{ place }} then '{{ name }}'
            {% endfor -%}
        end as arrival,

        -- measures
        cast(group_place as integer) as arrival_place,
        deliveries,
        contact_eligible_deliveries,
        contacts,
        1000 * {{ ratio('contacts', 'contact_eligible_deliveries') }} as contacts_per_1000,
        1000 * {{ ratio(count_low('contacts'), 'contact_eligible_deliveries') }} as contacts_per_1000_low,
        1000 * {{ ratio(count_high('contacts'), 'contact_eligible_deliveries') }} as contacts_per_1000_high,
        followed_deliveries,
        repurchased_deliveries,
        {{ ratio('repurchased_deliveries', 'followed_deliveries') }} as next_90d_repurchase_rate,
        {{ wilson_low('repurchased_deliveries', 'followed_deliveries') }} as next_90d_repurchase_rate_low,
        {{ wilson_high('repurchased_deliveries', 'followed_deliveries') }} as next_90d_repurchase_rate_high,
        {{ ratio('repurchased_deliveries', 'followed_deliveries') }}
        - {{ ratio('other_repurchased_deliveries', 'other_followed_deliveries') }} as next_90d_repurchase_difference,
        {{ newcombe_low(
            'repurchased_deliveries', 'followed_deliveries', 'other_repurchased_deliveries', 'other_followed_deliveries'
        ) }} as next_90d_repurchase_difference_low,
        {{ newcombe_high(
            'repurchased_deliveries', 'followed_deliveries', 'other_repurchased_deliveries', 'other_followed_deliveries'
        ) }} as next_90d_repurchase_difference_high,

        -- times
        {{ as_of_date() }} as as_of_date

    from compared

)

select * from final

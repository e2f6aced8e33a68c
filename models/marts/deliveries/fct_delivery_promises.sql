with

parcels as (

    select
        *,
        {{ month_of('promised_date') }} as promised_month
    from {{ ref('int_deliveries__promises') }}

),

months as (

    select
        carrier,
        service_level,
        promised_month,
        cast(count(*) as bigint) as deliveries,
        cast(count(is_promise_kept) as bigint) as decided_deliveries,
        cast(count(*) filter (where is_promise_kept) as bigint) as kept_deliveries,
        cast(count(*) filter (where days_late < 0) as bigint) as early_deliveries,
        cast(count(*) filter (where not is_promise_kept) as bigint) as late_deliveries,
        cast(count(*) filter (where parcel_status in ('lost', 'returned_to_sender')) as bigint) as failed_deliveries,
        cast(count(*) filter (where is_address_changed) as bigint) as address_changed_deliveries,
        cast(percentile_cont(0.5) within group (order by days_late) as double) as days_late_p50,
        cast(percentile_cont(0.9) within group (order by days_late) as double) as days_late_p90,
        cast(percentile_cont(0.5) within group (order by case when days_late < 0 then -days_late end) as double)
            as days_early_p50,

        -- what customers were told of a broken promise
        cast(count(has_delay_notice) filter (where not is_promise_kept) as bigint) as tracked_late_deliveries,
        cast(count(*) filter (where not is_promise_kept and has_delay_notice) as bigint) as notified_deliveries,
        cast(count(*) filter (where delay_notice_hours < 0) as bigint) as forewarned_deliveries,
        cast(percentile_cont(0.5) within group (order by delay_notice_hours) as double) as delay_notice_hours_p50,

        -- what customers did afterwards
        cast(count(contact_count) as bigint) as contact_deliveries,
        cast(sum(contact_count) as bigint) as contacts,
        cast(count(*) filter (where has_customer and is_promise_kept) as bigint) as kept_followed,
        cast(count(*) filter (where has_customer and not is_promise_kept) as bigint) as late_followed,
        cast(count(*) filter (where has_repurchased and is_promise_kept) as bigint) as kept_repurchased,
        cast(count(*) filter (where has_repurchased and not is_promise_kept) as bigint) as late_repurchased

    from parcels
    group by 1, 2, 3

),

dated as (

    select
        *,
        -- The night knows the whole of `as_of_date`, so a month is over on its last day.
        {{ end_of_month('promised_month') }} <= {{ as_of_date() }} as is_mature,
        {{ add_days(end_of_month('promised_month'), contact_days()) }} <= {{ as_of_date() }} as is_contact_mature,
        {{ add_days(end_of_month('promised_month'), 90) }} <= {{ as_of_date() }} as is_repurchase_mature

    from months

),

final as (

    select
        -- keys
        carrier,
        service_level,
        promised_month,

        -- measures: the promise
        deliveries,
        decided_deliveries,
        kept_deliveries,
        early_deliveries,
        late_deliveries,
        failed_deliveries,
        address_changed_deliveries,
        {% for deliveries, rate in [
            ('kept_deliveries', 'kept_rate'),
            ('early_deliveries', 'beat_promise_rate'),
        ] -%}
        case when is_mature then {{ ratio(deliveries, 'decided_deliveries') }} end as {{ rate }},
        case when is_mature then {{ wilson_low(deliveries, 'decided_deliveries') }} end as {{ rate }}_low,
        case when is_mature then {{ wilson_high(deliveries, 'decided_deliveries') }} end as {{ rate }}_high,
        {% endfor -%}
        case when is_mature then days_late_p50 end as days_late_p50,
        case when is_mature then days_late_p90 end as days_late_p90,
        case when is_mature then days_early_p50 end as days_early_p50,

        -- measures: what customers were told
        tracked_late_deliveries,
        notified_deliveries,
        forewarned_deliveries,
        {% for name, rate in [
            ('notified_rate', ratio('notified_deliveries', 'tracked_late_deliveries')),
            ('notified_rate_low', wilson_low('notified_deliveries', 'tracked_late_deliveries')),
            ('notified_rate_high', wilson_high('notified_deliveries', 'tracked_late_deliveries')),
        ] -%}
        case when is_mature then {{ rate }} end as {{ name }},
        {% endfor -%}
        case when is_mature then delay_notice_hours_p50 end as delay_notice_hours_p50,

        -- measures: what customers did
        case when is_contact_mature then contact_deliveries end as contact_eligible_deliveries,
        case when is_contact_mature then contacts end as contacts,
        case when is_contact_mature then 1000 * {{ ratio('contacts', 'contact_deliveries') }} end as contacts_per_1000,
        case when is_contact_mature then 1000 * {{ ratio(count_low('contacts'), 'contact_deliveries') }} end
            as contacts_per_1000_low,
        case when is_contact_mature then 1000 * {{ ratio(count_high('contacts'), 'contact_deliveries') }} end
            as contacts_per_1000_high,
        case when is_repurchase_mature then kept_followed end as kept_eligible_deliveries,
        case when is_repurchase_mature then late_followed end as late_eligible_deliveries,
        case when is_repurchase_mature then {{ ratio('kept_repurchased', 'kept_followed') }} end
            as kept_next_90d_repurchase_rate,
        case when is_repurchase_mature then {{ ratio('late_repurchased', 'late_followed') }} end
            as late_next_90d_repurchase_rate,
        case
            when is_repurchase_mature
                then {{ ratio('late_repurchased', 'late_followed') }} - {{ ratio('kept_repurchased', 'kept_followed') }}
        end as next_90d_repurchase_difference,
        {% for bound in ['low', 'high'] -%}
        case
            when is_repurchase_mature
                then
                    {%- set difference = newcombe_low if bound == 'low' else newcombe_high %}
                    {{ difference('late_repurchased', 'late_followed', 'kept_repurchased', 'kept_followed') }}
        end as next_90d_repurchase_difference_{{ bound }},
        {% endfor %}

        -- flags
        is_mature,
        is_contact_mature,
        is_repurchase_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

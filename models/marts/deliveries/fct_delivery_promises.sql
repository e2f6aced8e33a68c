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

-- The first occasion after the promised day. Kept and late parcels are followed from the same day, so that the delay
-- itself does not eat into the days of the late ones.
followed as (

    select
        parcels.*,
        {{ month_of('parcels.promised_date') }} as promised_month,
        parcels.customer_id is not null as has_customer,
        occasions.customer_id is not null as has_repurchased

    from parcels
    left join occasions
        on parcels.customer_id = occasions.customer_id
        and parcels.promised_date < occasions.ordered_date
        and occasions.ordered_date <= {{ add_days('parcels.promised_date', horizon_days) }}
        and coalesce(occasions.previous_ordered_date, cast('1900-01-01' as date)) <= parcels.promised_date

),

months as (

    select
        carrier,
        service_level,
        promised_month,
        cast(count(*) as bigint) as deliveries,
        cast(count(is_promise_kept) as bigint) as decided_deliveries,
        cast(count(*) filter (where is_promise_kept) as bigint) as kept_deliveries,
        cast(count(*) filter (where parcel_status in ('lost', 'returned_to_sender')) as bigint) as failed_deliveries,
        cast(percentile_cont(0.5) within group (order by days_late) as double) as days_late_p50,
        cast(percentile_cont(0.9) within group (order by days_late) as double) as days_late_p90,
        cast(count(*) filter (where has_customer and is_promise_kept) as bigint) as kept_followed,
        cast(count(*) filter (where has_customer and not is_promise_kept) as bigint) as late_followed,
        cast(count(*) filter (where has_repurchased and is_promise_kept) as bigint) as kept_repurchased,
        cast(count(*) filter (where has_repurchased and not is_promise_kept) as bigint) as late_repurchased

    from followed
    group by 1, 2, 3

),

dated as (

    select
        *,
        -- The night knows the whole of `as_of_date`, so a month is over on its last day.
        {{ add_days(add_months('promised_month', 1), -1) }} <= {{ as_of_date() }} as is_mature,
        {{ add_days(add_months('promised_month', 1), horizon_days - 1) }} <= {{ as_of_date() }} as is_repurchase_mature

    from months

),

final as (

    select
        -- keys
        carrier,
        service_level,
        promised_month,

        -- measures
        deliveries,
        decided_deliveries,
        kept_deliveries,
        failed_deliveries,
        case when is_mature then {{ ratio('kept_deliveries', 'decided_deliveries') }} end as kept_rate,
        case when is_mature then days_late_p50 end as days_late_p50,
        case when is_mature then days_late_p90 end as days_late_p90,
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

        -- flags
        is_mature,
        is_repurchase_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

-- Every parcel of a promised day up to the night whose fate is known is in exactly one group.
with

parcels as (

    select count(*) as deliveries
    from {{ ref('fct_deliveries') }}
    where
        promised_date <= as_of_date
        and (days_late is not null or parcel_status in ('lost', 'returned_to_sender'))

),

arrivals as (

    select coalesce(sum(deliveries), 0) as deliveries from {{ ref('fct_delivery_days') }}

)

select
    parcels.deliveries as deliveries_in_fct_deliveries,
    arrivals.deliveries as deliveries_by_arrival

from parcels
cross join arrivals
where parcels.deliveries <> arrivals.deliveries

-- Every promised parcel up to the night is in exactly one month.
with

parcels as (

    select
        count(*) filter (where promised_date <= as_of_date) as deliveries,
        count(*) filter (where promised_date <= as_of_date and is_promise_kept) as kept_deliveries
    from {{ ref('fct_deliveries') }}

),

months as (

    select
        coalesce(sum(deliveries), 0) as deliveries,
        coalesce(sum(kept_deliveries), 0) as kept_deliveries
    from {{ ref('fct_delivery_promises') }}

)

select
    parcels.deliveries as deliveries_in_fct_deliveries,
    months.deliveries as deliveries_in_months,
    parcels.kept_deliveries as kept_in_fct_deliveries,
    months.kept_deliveries as kept_in_months

from parcels
cross join months
where parcels.deliveries <> months.deliveries or parcels.kept_deliveries <> months.kept_deliveries

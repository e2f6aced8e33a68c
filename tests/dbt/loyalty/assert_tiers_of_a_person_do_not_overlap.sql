with

tiers as (

    select * from {{ ref('fct_loyalty_tiers') }}

)

select
    tiers.customer_id,
    tiers.tier_number,
    tiers.ended_date,
    later.tier_number as later_tier_number,
    later.started_date as later_started_date
from tiers
inner join tiers as later
    on tiers.customer_id = later.customer_id
    and tiers.tier_number < later.tier_number
where coalesce(tiers.ended_date, cast('9999-12-31' as date)) > later.started_date

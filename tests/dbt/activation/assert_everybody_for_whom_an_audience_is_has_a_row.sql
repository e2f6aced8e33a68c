-- By the published tables: who is in a stage, new, or has a parcel is in the audience, written to or not, and nobody else is.
with

customers as (

    select * from {{ ref('dim_customers') }}

),

deliveries as (

    select * from {{ ref('fct_orders') }}
    where is_valid_order and delivered_date > {{ add_days(as_of_date(), -audience_days('post_purchase')) }}

),

meant as (

    select
        'vip' as audience,
        customer_id
    from customers
    where lifecycle_stage = 'vip'

    union all

    select
        'reengagement' as audience,
        customer_id
    from customers
    where
        lifecycle_stage in ('at_risk', 'lapsed')
        and last_ordered_date >= {{ add_days(as_of_date(), -audience_days('reengagement')) }}

    union all

    select
        'winback_reactivated' as audience,
        customer_id
    from customers
    where
        lifecycle_stage = 'reactivated'
        and last_ordered_date > {{ add_days(as_of_date(), -audience_days('winback_reactivated')) }}

    union all

    select
        'welcome' as audience,
        customer_id
    from customers
    where first_seen_date > {{ add_days(as_of_date(), -audience_days('welcome')) }}

    union all

    -- More may be in it: what left without a trace, and goods of the store.
    select distinct
        'post_purchase' as audience,
        customer_id
    from deliveries
    where customer_id is not null and not is_exchange

),

listed as (

    select
        audience,
        customer_id
    from {{ ref('fct_audience_members') }}
    where coalesce(exclusion_reason <> 'test_account', true)

)

select
    coalesce(meant.audience, listed.audience) as audience,
    coalesce(meant.customer_id, listed.customer_id) as customer_id,
    listed.customer_id is not null as is_listed
from meant
full outer join listed
    on meant.audience = listed.audience
    and meant.customer_id = listed.customer_id
where
    listed.customer_id is null
    or (
        meant.customer_id is null
        and listed.audience in ('vip', 'reengagement', 'winback_reactivated', 'welcome')
    )

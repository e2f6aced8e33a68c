-- Everybody who was not erased is decided on, nobody else is, and a marketing action stands on the customer's word of tonight
-- with nothing said against profiles on its channel.
with

customers as (

    select customer_id from {{ ref('dim_customers') }}
    where not is_erased

),

decided as (

    select * from {{ ref('fct_next_best_actions') }}

),

consents as (

    select * from {{ ref('fct_consents') }}
    where valid_from < {{ end_of_night() }} and coalesce(valid_to >= {{ end_of_night() }}, true)

)

select
    coalesce(customers.customer_id, decided.customer_id) as customer_id,
    decided.action,
    decided.channel,
    decided.consent_event_id,
    allowed.status as consent_status,
    forbidden.consent_event_id as refused_by
from customers
full outer join decided on customers.customer_id = decided.customer_id
left join consents as allowed
    on decided.customer_id = allowed.customer_id
    and decided.channel = allowed.channel
    and decided.consent_event_id = allowed.consent_event_id
    and allowed.purpose = 'marketing'
left join consents as forbidden
    on decided.customer_id = forbidden.customer_id
    and decided.channel = forbidden.channel
    and forbidden.purpose = 'profiling'
    and forbidden.status in ('withdrawn', 'complained')
where
    customers.customer_id is null
    or decided.customer_id is null
    or (decided.purpose = 'marketing' and not coalesce(allowed.is_granted, false))
    or (decided.purpose = 'marketing' and forbidden.customer_id is not null)

-- Everybody who was not erased is decided on, nobody else is, and a marketing action stands on the customer's word of tonight.
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
    where is_current and is_granted and purpose = 'marketing'

)

select
    coalesce(customers.customer_id, decided.customer_id) as customer_id,
    decided.action,
    decided.channel,
    consents.consent_event_id
from customers
full outer join decided on customers.customer_id = decided.customer_id
left join consents
    on decided.customer_id = consents.customer_id
    and decided.channel = consents.channel
where
    customers.customer_id is null
    or decided.customer_id is null
    or (decided.purpose = 'marketing' and consents.customer_id is null)

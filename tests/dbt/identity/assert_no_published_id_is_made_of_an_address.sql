-- A hashed address is still personal data: whoever has a list of addresses can look it up.
select
    customers.customer_id,
    accounts.source_customer_id
from {{ ref('dim_customers') }} as customers
inner join {{ ref('int_identity__accounts') }} as accounts
    on customers.customer_id = 'guest:' || accounts.email_key

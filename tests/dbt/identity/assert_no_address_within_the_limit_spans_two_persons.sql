-- Fails where a chain of accounts and addresses is longer than the hops that int_identity__map follows: raise `rounds`
-- there.
select
    accounts.email_key,
    count(distinct accounts.source_customer_id) as accounts,
    count(distinct identity_map.customer_id) as persons,
    min(identity_map.customer_id) as first_person,
    max(identity_map.customer_id) as last_person

from {{ ref('int_identity__accounts') }} as accounts
inner join {{ ref('int_identity__map') }} as identity_map
    on accounts.source_customer_id = identity_map.source_customer_id
where accounts.email_key is not null and not identity_map.is_test
group by 1
having
    count(distinct accounts.source_customer_id) <= {{ var('identity_email_max_accounts') }}
    and count(distinct identity_map.customer_id) > 1

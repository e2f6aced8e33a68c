-- Fails where a chain of accounts and addresses is longer than the hops that int_identity__map follows: raise `rounds`
-- there.
with

names as (

    select
        source_customer_id,
        coalesce(min(name_key), source_customer_id) as name_key
    from {{ ref('int_identity__accounts') }}
    group by 1

)

select
    accounts.email_key,
    count(distinct accounts.source_customer_id) as accounts,
    count(distinct names.name_key) as names,
    count(distinct identity_map.customer_id) as persons,
    min(identity_map.customer_id) as first_person,
    max(identity_map.customer_id) as last_person

from {{ ref('int_identity__accounts') }} as accounts
inner join names on accounts.source_customer_id = names.source_customer_id
inner join {{ ref('int_identity__map') }} as identity_map
    on accounts.source_customer_id = identity_map.source_customer_id
where accounts.email_key is not null and not identity_map.is_test
group by 1
having
    count(distinct names.name_key) <= {{ var('identity_email_max_accounts') }}
    and count(distinct identity_map.customer_id) > 1

-- Fails where a chain of accounts and shared values is longer than the hops that int_identity__map follows: raise
-- `identity_rounds()`.
select
    links.link_number,
    min(links.identity_rule) as identity_rule,
    count(distinct identity_map.customer_id) as persons,
    min(identity_map.customer_id) as first_person,
    max(identity_map.customer_id) as last_person

from {{ ref('int_identity__links') }} as links
inner join {{ ref('int_identity__map') }} as identity_map
    on links.source_customer_id = identity_map.source_customer_id
group by 1
having count(distinct identity_map.customer_id) > 1

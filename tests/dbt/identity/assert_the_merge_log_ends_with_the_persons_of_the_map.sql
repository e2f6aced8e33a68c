-- The log follows when accounts came together, the map only that they did: two ways to the same persons.
with

merged as (

    select
        source_customer_id,
        customer_id
    from {{ ref('int_identity__map') }}
    where identity_rule not in ('own_account', 'first_account')

),

logged as (

    select
        source_customer_id,
        customer_id,
        case when is_erased then customer_id else joined_customer_id end as joined_customer_id
    from {{ ref('int_identity__merge_log') }}
    where is_current

)

select
    coalesce(merged.source_customer_id, logged.source_customer_id) as source_customer_id,
    merged.customer_id as person_of_the_map,
    logged.joined_customer_id as person_of_the_log

from merged
full outer join logged on merged.source_customer_id = logged.source_customer_id
where merged.customer_id is distinct from logged.joined_customer_id

{#- Hops that a chain of accounts and addresses may have; a data test fails where a chain is longer. -#}
{%- set rounds = 6 -%}

with

accounts as (

    select * from {{ ref('int_identity__accounts') }}

),

numbered as (

    select
        source_customer_id,
        min(first_seen_at) as first_seen_at,
        min(name_key) as name_key,
        -- A guest without an account is told apart by the address, even hashed a piece of the person: what leaves the
        -- identity models is named after the guest's first order instead.
        coalesce(
            'guest:' || md5(min(first_guest_order)),
            source_customer_id
        ) as public_id,
        bool_or(is_test_account) or bool_and(has_only_tests) as is_test,
        -- The earliest account gives the person its id: it does not change when a later account joins.
        cast(row_number() over (
            order by min(first_seen_at) asc nulls last, source_customer_id asc nulls last
        ) as bigint) as account_number

    from accounts
    group by 1

),

-- The shop's own test accounts merge with nobody: a tester's address would otherwise make a customer a test.
addresses as (

    select
        accounts.source_customer_id,
        accounts.email_key,
        -- An account without a name may be anybody.
        coalesce(numbered.name_key, accounts.source_customer_id) as name_key,
        numbered.account_number
    from accounts
    inner join numbered on accounts.source_customer_id = numbered.source_customer_id
    where accounts.email_key is not null and not numbered.is_test

),

shared_addresses as (

    select email_key
    from addresses
    group by 1
    having
        count(*) > 1
        -- An address under many names is a till or a mailbox, not a person. Names and not accounts: in many shops every
        -- guest checkout of one buyer opens another account.
        and count(distinct name_key) <= {{ var('identity_email_max_accounts') }}

),

round_0 as (

    select
        addresses.source_customer_id,
        addresses.email_key,
        addresses.account_number as label
    from addresses
    inner join shared_addresses on addresses.email_key = shared_addresses.email_key

),

{% for round in range(1, rounds + 1) -%}
-- Every address takes the smallest label of its accounts, every account the smallest of its addresses.
addresses_{{ round }} as (

    select
        source_customer_id,
        email_key,
        min(label) over (partition by email_key) as label
    from round_{{ round - 1 }}

),

round_{{ round }} as (

    select
        source_customer_id,
        email_key,
        min(label) over (partition by source_customer_id) as label
    from addresses_{{ round }}

),

{% endfor -%}
merged as (

    select
        source_customer_id,
        min(label) as label
    from round_{{ rounds }}
    group by 1

),

final as (

    select
        -- keys
        numbered.source_customer_id,
        coalesce(person.public_id, numbered.public_id) as customer_id,

        -- flags
        case
            when merged.source_customer_id is null then 'own_account'
            when person.source_customer_id = numbered.source_customer_id then 'first_account'
            else 'shared_email'
        end as identity_rule,
        numbered.is_test,

        -- times
        numbered.first_seen_at

    from numbered
    left join merged on numbered.source_customer_id = merged.source_customer_id
    left join numbered as person on merged.label = person.account_number

)

select * from final

{%- set rules = identity_rules() | selectattr('limit', 'gt', 0) | list -%}
{%- set limits = {} -%}
{%- for rule in identity_rules() %}{% do limits.update({rule.rule: rule.limit}) %}{% endfor -%}

with

accounts as (

    select * from {{ ref('int_identity__numbered') }}
    -- The shop's own test accounts merge with nobody: a tester's address would otherwise make a customer a test.
    where not is_test

),

addresses as (

    select * from {{ ref('int_identity__accounts') }}
    where email_key is not null

),

customers as (

    select * from {{ ref('stg_customers') }}
    where not is_deleted

),

memberships as (

    select * from {{ ref('stg_memberships') }}
    where
        not is_deleted
        and {{ is_known('joined_at') }}

),

identifiers as (

    select * from {{ ref('stg_customer_identifiers') }}
    where
        not is_deleted
        and {{ is_known('first_seen_at') }}

),

erasures as (

    select * from {{ ref('int_identity__erasures') }}

),

-- Values are compared hashed; the clear ones go no further than this.
seen as (

    {% if limits.shared_email > 0 -%}
    select
        source_customer_id,
        'shared_email' as identity_rule,
        email_key as value_key,
        first_seen_at as seen_at
    from addresses

    union all

    {% endif -%}
    {% if limits.shared_phone > 0 -%}
    select
        customer_id as source_customer_id,
        'shared_phone' as identity_rule,
        md5({{ phone_digits('phone') }}) as value_key,
        created_at as seen_at
    from customers

    union all

    {% endif -%}
    {% if limits.shared_membership_id > 0 -%}
    -- A member's own account; another account that shows the membership's number stands in the identifiers.
    select
        customer_id as source_customer_id,
        'shared_membership_id' as identity_rule,
        md5(membership_id) as value_key,
        joined_at as seen_at
    from memberships

    union all

    {% endif -%}
    select
        customer_id as source_customer_id,
        case
            {% for rule in rules -%}
            when id_type in ('{{ rule.id_types | join("', '") }}') then '{{ rule.rule }}'
            {% endfor -%}
        end as identity_rule,
        case id_type
            when 'email_sha256' then {{ email_hash_key('id_value') }}
            when 'phone' then md5({{ phone_digits('id_value') }})
            -- A browser's mark and a device's are not one number.
            when 'anonymous_id' then md5('anonymous|' || trim(id_value))
            else md5(trim(id_value))
        end as value_key,
        first_seen_at as seen_at
    from identifiers

),

values_of_accounts as (

    select
        seen.source_customer_id,
        seen.identity_rule,
        seen.value_key,
        -- A value is known of an account no earlier than the account.
        greatest(min(seen.seen_at), min(accounts.first_seen_at)) as seen_at,
        min(accounts.first_seen_at) as first_seen_at,
        min(accounts.account_number) as account_number,
        min(accounts.name_key) as name_key

    from seen
    inner join accounts on seen.source_customer_id = accounts.source_customer_id
    where
        seen.identity_rule is not null
        and seen.value_key is not null
    group by 1, 2, 3

),

erased_values as (

    select
        values_of_accounts.identity_rule,
        values_of_accounts.value_key,
        min(erasures.erased_at) as erased_at
    from values_of_accounts
    inner join erasures on values_of_accounts.source_customer_id = erasures.source_customer_id
    group by 1, 2

),

-- Who was erased and comes back is a new customer: accounts opened later share a value among themselves alone.
lives as (

    select
        values_of_accounts.*,
        md5(concat_ws('|',
            values_of_accounts.identity_rule,
            values_of_accounts.value_key,
            case when values_of_accounts.first_seen_at > erased_values.erased_at then 'again' end
        )) as link_key
    from values_of_accounts
    left join erased_values
        on values_of_accounts.identity_rule = erased_values.identity_rule
        and values_of_accounts.value_key = erased_values.value_key

),

shared as (

    -- Numbers and no hashes: the rounds of the map and of the log sort by them again and again.
    select
        link_key,
        cast(row_number() over (order by link_key asc nulls last) as bigint) as link_number
    from lives
    group by link_key
    having
        count(*) > 1
        -- Names and not accounts: in many shops every guest checkout of one buyer opens another account.
        and count(distinct name_key) <= min({{ of_identity_rule('identity_rule', 'limit') }})

),

ordered as (

    select
        lives.*,
        shared.link_number,
        row_number() over sightings as sighting,
        lead(lives.seen_at) over sightings as next_seen_at
    from lives
    inner join shared on lives.link_key = shared.link_key
    window sightings as (
        partition by shared.link_number
        order by lives.seen_at asc nulls first, lives.account_number asc nulls last
    )

),

final as (

    select
        -- keys
        source_customer_id,
        account_number,
        link_number,

        -- attributes
        identity_rule,

        -- times
        seen_at,
        first_seen_at,
        -- From the second account on a value links.
        case when sighting = 1 then coalesce(next_seen_at, seen_at) else seen_at end as linked_at

    from ordered

)

select * from final

with

accounts as (

    select * from {{ ref('int_identity__accounts') }}

),

final as (

    select
        -- keys
        source_customer_id,
        -- The earliest account gives the person its id: it does not change when a later account joins.
        cast(row_number() over (
            order by min(first_seen_at) asc nulls last, source_customer_id asc nulls last
        ) as bigint) as account_number,
        -- A guest without an account is told apart by the address, even hashed a piece of the person: what leaves the
        -- identity models is named after the guest's first order instead.
        coalesce('guest:' || md5(min(first_guest_order)), source_customer_id) as public_id,

        -- attributes: an account without a name may be anybody
        coalesce(min(name_key), source_customer_id) as name_key,

        -- flags
        bool_or(is_test_account) or bool_and(has_only_tests) as is_test,

        -- times
        min(first_seen_at) as first_seen_at

    from accounts
    group by source_customer_id

)

select * from final

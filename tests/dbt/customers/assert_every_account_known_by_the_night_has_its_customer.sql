-- Accounts of the shop, its tests left out, against the accounts that the customers count.
with

staged as (

    select count(distinct source_customer_id) as account_count
    from (
        select customer_id as source_customer_id
        from {{ ref('stg_customers') }}
        where not is_deleted and coalesce({{ shop_day('created_at') }} <= {{ as_of_date() }}, true)
        union all
        select source_customer_id from {{ ref('int_orders__valued') }}
        union all
        select customer_id as source_customer_id
        from {{ ref('stg_memberships') }}
        where not is_deleted and {{ shop_day('joined_at') }} <= {{ as_of_date() }}
    ) as accounts

),

tests as (

    select count(*) as account_count from {{ ref('int_identity__map') }}
    where is_test

),

published as (

    select coalesce(sum(account_count), 0) as account_count from {{ ref('dim_customers') }}

)

select
    staged.account_count as staged_accounts,
    tests.account_count as test_accounts,
    published.account_count as published_accounts

from staged
cross join tests
cross join published
where staged.account_count <> tests.account_count + published.account_count

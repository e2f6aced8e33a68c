with

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not is_test

),

customers as (

    select * from {{ ref('stg_customers') }}
    where not is_deleted

),

memberships as (

    select * from {{ ref('stg_memberships') }}
    where not is_deleted

),

accounts as (

    select
        identity_map.customer_id,
        identity_map.source_customer_id,
        identity_map.first_seen_at,
        identity_map.is_erased,
        customers.acquisition_channel,
        customers.country_code,
        customers.account_state,
        -- The state that lets the person do most: somebody with an open account is no guest.
        case customers.account_state
            when 'enabled' then 1
            when 'invited' then 2
            when 'disabled' then 3
            when 'guest' then 4
        end as state_rank,
        row_number() over (
            partition by identity_map.customer_id
            order by
                case when customers.acquisition_channel is null then 1 else 0 end asc nulls last,
                identity_map.first_seen_at asc nulls last,
                identity_map.source_customer_id asc nulls last
        ) as channel_rank,
        row_number() over (
            partition by identity_map.customer_id
            order by
                case when customers.country_code is null then 1 else 0 end asc nulls last,
                coalesce(customers.updated_at, customers.created_at) desc nulls last,
                identity_map.source_customer_id asc nulls last
        ) as country_rank

    from identity_map
    -- What an erased person told of itself is gone; its orders stay in the books.
    left join customers
        on identity_map.source_customer_id = customers.customer_id
        and not identity_map.is_erased

),

loyalty as (

    select * from {{ ref('int_loyalty__balances') }}

),

members as (

    select distinct identity_map.customer_id
    from memberships
    inner join identity_map on memberships.customer_id = identity_map.source_customer_id
    where
        {{ is_known('memberships.joined_at') }}
        and coalesce(
            {{ shop_day('memberships.ended_at') }} > {{ as_of_date() }},
            -- A shop that marks the end without a date ended it.
            coalesce(memberships.status, 'active') != 'ended'
        )

),

people as (

    select
        customer_id,
        cast(count(*) as bigint) as account_count,
        min(first_seen_at) as first_seen_at,
        bool_or(is_erased) as is_erased,
        min(state_rank) as state_rank,
        min(case when channel_rank = 1 then acquisition_channel end) as acquisition_channel,
        min(case when country_rank = 1 then country_code end) as country_code

    from accounts
    group by 1

),

final as (

    select
        -- keys
        people.customer_id,

        -- measures
        people.account_count,

        -- attributes
        people.acquisition_channel,
        people.country_code,
        case people.state_rank
            when 1 then 'enabled'
            when 2 then 'invited'
            when 3 then 'disabled'
            when 4 then 'guest'
        end as account_state,
        case when not people.is_erased then loyalty.loyalty_tier end as loyalty_tier,

        -- flags
        members.customer_id is not null as is_member_now,
        people.is_erased,

        -- times
        {{ shop_day('people.first_seen_at') }} as first_seen_date

    from people
    left join members on people.customer_id = members.customer_id
    left join loyalty on people.customer_id = loyalty.customer_id

)

select * from final

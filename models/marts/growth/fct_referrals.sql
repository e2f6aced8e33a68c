with

referrals as (

    select * from {{ ref('stg_referrals') }}
    where
        not is_deleted
        and {{ is_known('invited_at') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not is_test

),

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}
    where occasion_number = 1

),

sales as (

    select * from {{ ref('int_customers__sales') }}

),

people as (

    select
        referrals.referral_id,
        referrers.customer_id as referrer_customer_id,
        friends.customer_id as referred_customer_id,
        referrals.first_order_id as delivered_first_order_id,
        referrals.reward_amount,
        coalesce(referrals.status, 'unknown') as status,
        {{ shop_day('referrals.invited_at') }} as invited_date,
        case when {{ is_known('referrals.signed_up_at') }} then {{ shop_day('referrals.signed_up_at') }} end
            as signed_up_date,
        case when {{ is_known('referrals.reward_granted_at') }} then {{ shop_day('referrals.reward_granted_at') }} end
            as reward_granted_date

    from referrals
    inner join identity_map as referrers on referrals.referrer_customer_id = referrers.source_customer_id
    left join identity_map as friends on referrals.referred_customer_id = friends.source_customer_id

),

joined as (

    select
        people.*,
        customers.first_ordered_date,
        occasions.first_order_id,
        coalesce(people.referrer_customer_id = people.referred_customer_id, false) as is_self_referral,
        coalesce(customers.first_ordered_date < people.invited_date, false) as is_known_customer

    from people
    left join customers on people.referred_customer_id = customers.customer_id
    left join occasions on people.referred_customer_id = occasions.customer_id

),

-- A friend comes once, however many invited: by the invitation that the shop says, or else by the last one before.
ranked as (

    select
        *,
        row_number() over (
            partition by referred_customer_id
            order by
                case
                    when is_self_referral or first_ordered_date is null or is_known_customer then 1
                    else 0
                end asc nulls last,
                case when delivered_first_order_id = first_order_id then 0 else 1 end asc nulls last,
                invited_date desc nulls last,
                referral_id asc nulls last
        ) as place_of_friend
    from joined

),

judged as (

    select
        *,
        referred_customer_id is not null
        and first_ordered_date is not null
        and not is_self_referral
        and not is_known_customer
        and place_of_friend = 1 as has_brought_a_customer
    from ranked

),

final as (

    select
        -- keys
        judged.referral_id,
        judged.referrer_customer_id,
        judged.referred_customer_id,
        case when judged.has_brought_a_customer then judged.first_order_id end as first_order_id,

        -- measures
        case when judged.has_brought_a_customer
            then {{ days_between('judged.invited_date', 'judged.first_ordered_date') }} end as days_to_convert,
        judged.reward_amount,
        case when judged.has_brought_a_customer then sales.order_count end as friend_order_count,
        case when judged.has_brought_a_customer then sales.net_amount end as friend_net_amount,
        case when judged.has_brought_a_customer then sales.contribution_margin_amount end
            as friend_contribution_margin_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        judged.status,

        -- flags
        judged.has_brought_a_customer,
        judged.has_brought_a_customer
        and judged.first_ordered_date <= {{ add_days('judged.invited_date', var('referral_window_days')) }}
            as is_converted,
        judged.is_self_referral,
        judged.is_known_customer,
        judged.reward_granted_date is not null as is_reward_granted,
        {{ add_days('judged.invited_date', var('referral_window_days')) }} <= {{ as_of_date() }} as is_mature,

        -- times
        judged.invited_date,
        judged.signed_up_date,
        case when judged.has_brought_a_customer then judged.first_ordered_date end as first_ordered_date,
        judged.reward_granted_date,
        {{ as_of_date() }} as as_of_date

    from judged
    left join sales on judged.referred_customer_id = sales.customer_id

)

select * from final

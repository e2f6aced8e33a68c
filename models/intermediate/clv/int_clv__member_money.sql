with

terms as (

    select * from {{ ref('stg_membership_terms') }}
    where not is_deleted

),

memberships as (

    select * from {{ ref('stg_memberships') }}
    where not is_deleted

),

benefit_usage as (

    select * from {{ ref('stg_membership_benefit_usage') }}
    where not is_deleted

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

fees as (

    select
        membership_id,
        {{ money_sum('fee_amount - coalesce(discount_amount, 0)') }} as membership_fee_amount,
        cast(0 as decimal(18, 2)) as benefit_cost_amount
    from terms
    where
        payment_status = 'paid'
        and coalesce({{ shop_day('paid_at') }}, term_start) <= {{ as_of_date() }}
    group by 1

),

benefits as (

    select
        membership_id,
        cast(0 as decimal(18, 2)) as membership_fee_amount,
        {{ money_sum('cost_amount') }} as benefit_cost_amount
    from benefit_usage
    where
        {{ shop_day('used_at') }} <= {{ as_of_date() }}
        -- The parcel's cost stands in the order already; counted here too it would be paid twice.
        and not (benefit_code = 'shipping' and order_id is not null)
    group by 1

),

money as (

    select * from fees
    union all
    select * from benefits

),

final as (

    select
        -- keys
        identity_map.customer_id,

        -- measures
        {{ money_sum('money.membership_fee_amount') }} as membership_fee_amount,
        {{ money_sum('money.benefit_cost_amount') }} as benefit_cost_amount

    from money
    inner join memberships on money.membership_id = memberships.membership_id
    inner join identity_map on memberships.customer_id = identity_map.source_customer_id
    group by 1

)

select * from final

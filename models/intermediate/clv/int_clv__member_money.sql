with

terms as (

    select * from {{ ref('int_membership__terms') }}

),

benefit_usage as (

    select * from {{ ref('stg_membership_benefit_usage') }}
    where
        not is_deleted
        and {{ is_known('used_at') }}

),

members as (

    select distinct
        membership_id,
        customer_id
    from terms

),

fees as (

    select
        membership_id,
        {{ money_sum('fee_paid_amount') }} as membership_fee_amount,
        cast(0 as decimal(18, 2)) as benefit_cost_amount
    from terms
    group by 1

),

benefits as (

    select
        membership_id,
        cast(0 as decimal(18, 2)) as membership_fee_amount,
        {{ money_sum('cost_amount') }} as benefit_cost_amount
    from benefit_usage
    -- The parcel's cost stands in the order already; counted here too it would be paid twice.
    where not (benefit_code = 'shipping' and order_id is not null)
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
        members.customer_id,

        -- measures
        {{ money_sum('money.membership_fee_amount') }} as membership_fee_amount,
        {{ money_sum('money.benefit_cost_amount') }} as benefit_cost_amount

    from money
    inner join members on money.membership_id = members.membership_id
    group by 1

)

select * from final

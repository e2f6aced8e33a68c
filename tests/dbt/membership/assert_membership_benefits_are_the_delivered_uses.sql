with

delivered as (

    select
        membership_id,
        count(*) as benefit_uses,
        sum(coalesce(retail_value_amount, 0)) as benefit_value_amount,
        sum(coalesce(cost_amount, 0)) as cost_to_serve_amount
    from {{ ref('stg_membership_benefit_usage') }}
    where
        not is_deleted
        and {{ shop_day('used_at') }} <= {{ as_of_date() }}
    group by 1

)

select
    membership_value.membership_id,
    delivered.benefit_uses as delivered_uses,
    membership_value.benefit_uses,
    delivered.benefit_value_amount as delivered_value_amount,
    membership_value.benefit_value_amount,
    delivered.cost_to_serve_amount as delivered_cost_amount,
    membership_value.cost_to_serve_amount
from {{ ref('fct_membership_value') }} as membership_value
left join delivered on membership_value.membership_id = delivered.membership_id
where
    coalesce(delivered.benefit_uses, 0) <> membership_value.benefit_uses
    or coalesce(delivered.benefit_value_amount, 0) <> membership_value.benefit_value_amount
    or coalesce(delivered.cost_to_serve_amount, 0) <> membership_value.cost_to_serve_amount

with

sums as (

    select
        month_start,
        sum(case when channel = 'all' then acquisition_cost_amount else -acquisition_cost_amount end) as cost_left,
        sum(case when channel = 'all' then new_customers else -new_customers end) as customers_left,
        sum(case when channel = 'all' then acquisition_spend_amount + coalesce(retention_spend_amount, 0) else 0 end)
            as spend_amount
    from {{ ref('fct_acquisition_costs') }}
    group by 1

),

delivered as (

    select
        {{ month_of('spend_date') }} as month_start,
        sum(spend_amount) as spend_amount
    from {{ ref('stg_marketing_spend') }}
    where not is_deleted and spend_date <= {{ as_of_date() }}
    group by 1

)

select
    coalesce(sums.month_start, delivered.month_start) as month_start,
    sums.cost_left,
    sums.customers_left,
    sums.spend_amount,
    delivered.spend_amount as delivered_amount
from sums
full outer join delivered on sums.month_start = delivered.month_start
where
    sums.cost_left <> 0
    or sums.customers_left <> 0
    or coalesce(sums.spend_amount, 0) <> coalesce(delivered.spend_amount, 0)

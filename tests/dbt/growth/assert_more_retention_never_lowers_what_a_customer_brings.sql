with

profits as (

    select
        *,
        lag(raised_margin_per_new_customer_amount) over (
            partition by reading, acquisition
            order by added_retention asc nulls last
        ) as margin_before,
        lag(recruits_share) over (
            partition by reading, acquisition
            order by added_retention asc nulls last
        ) as recruits_before
    from {{ ref('fct_retention_profit') }}

)

-- A margin that falls with age could lower it: then nobody would want to keep customers.
select *
from profits
where
    (raised_margin_per_new_customer_amount < margin_before and margin_per_new_customer_amount > 0)
    or recruits_share > recruits_before

with

movements as (

    select
        membership_id as key_1,
        '' as key_2,
        month_start,
        opening_mrr_amount,
        closing_mrr_amount
    from {{ ref('fct_membership_movements') }}

),

plan_months as (

    select
        program as key_1,
        plan_code as key_2,
        month_start,
        opening_mrr_amount,
        closing_mrr_amount
    from {{ ref('fct_membership_months') }}

),

both_marts as (

    select 'fct_membership_movements' as mart, * from movements
    union all
    select 'fct_membership_months' as mart, * from plan_months

),

months as (

    select distinct month_start from both_marts

)

-- By calendar month and not by row: a month that is missing while money stands is an error too.
select
    both_marts.mart,
    both_marts.key_1,
    both_marts.key_2,
    months.month_start as next_month_start,
    both_marts.closing_mrr_amount,
    next_months.opening_mrr_amount
from both_marts
inner join months on months.month_start = {{ add_months('both_marts.month_start', 1) }}
left join both_marts as next_months
    on both_marts.mart = next_months.mart
    and both_marts.key_1 = next_months.key_1
    and both_marts.key_2 = next_months.key_2
    and months.month_start = next_months.month_start
where coalesce(next_months.opening_mrr_amount, 0) <> both_marts.closing_mrr_amount

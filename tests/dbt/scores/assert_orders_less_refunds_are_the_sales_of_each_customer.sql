-- The money that models learn from is the money that the marts show: margin of every sale, what came back included.
with

entries as (

    select
        customer_id,
        net_amount,
        margin_amount
    from {{ ref('int_scores__orders') }}
    where voided_date is null

    union all

    select
        customer_id,
        -net_amount as net_amount,
        -margin_amount as margin_amount
    from {{ ref('int_scores__refunds') }}

),

ledger as (

    select
        customer_id,
        sum(net_amount) as net_amount,
        sum(margin_amount) as margin_amount
    from entries
    group by 1

),

sales as (

    select * from {{ ref('int_customers__sales') }}

)

select
    coalesce(ledger.customer_id, sales.customer_id) as customer_id,
    ledger.net_amount as ledger_net_amount,
    sales.net_amount as sales_net_amount,
    ledger.margin_amount as ledger_margin_amount,
    sales.contribution_margin_amount as sales_margin_amount

from ledger
full join sales on ledger.customer_id = sales.customer_id
where
    coalesce(ledger.net_amount, 0) <> coalesce(sales.net_amount, 0)
    or coalesce(ledger.margin_amount, 0) <> coalesce(sales.contribution_margin_amount, 0)

-- Staged refunds of the night, converted here from scratch, against the refunds of the mart and of the test orders.
with

staged as (

    select
        refunds.order_id,
        sum(round(cast(refunds.amount as double) * case
            when coalesce(orders.currency, '{{ var("shop_currency") }}') = '{{ var("shop_currency") }}' then 1
            else orders.fx_rate_to_shop
        end, 2)) as staged_amount

    from {{ ref('stg_refunds') }} as refunds
    inner join {{ ref('stg_orders') }} as orders on refunds.order_id = orders.order_id
    where
        not refunds.is_deleted
        and not orders.is_deleted
        and {{ shop_day('refunds.issued_at') }} <= {{ as_of_date() }}
    group by 1

),

tests as (

    select order_id from {{ ref('int_orders__valued') }}
    where is_test_order

),

published as (

    select
        order_id,
        sum(refund_amount) as published_amount
    from {{ ref('fct_refunds') }}
    where refund_source = 'refund'
    group by 1

)

select
    coalesce(staged.order_id, published.order_id) as order_id,
    staged.staged_amount,
    published.published_amount

from staged
full outer join published on staged.order_id = published.order_id
left join tests on staged.order_id = tests.order_id
where
    tests.order_id is null
    and abs(coalesce(staged.staged_amount, 0) - cast(coalesce(published.published_amount, 0) as double)) > 0.005

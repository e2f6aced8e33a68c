-- Delivered attempts of the night, summed here from scratch in their own currency, against the orders and terms of the mart.
-- What was paid in another currency is compared in total elsewhere: its rate belongs to the order.
with

attempts as (

    select
        coalesce(payments.order_id, terms.membership_id || '|' || cast(terms.term_number as {{ string_type() }})) as bill,
        payments.order_id,
        sum(case payments.kind when 'refund' then -payments.amount else payments.amount end) as attempted_amount

    from {{ ref('stg_payments') }} as payments
    left join {{ ref('stg_membership_terms') }} as terms
        on payments.membership_term_id = terms.membership_term_id
        and not terms.is_deleted
    where
        not payments.is_deleted
        and payments.status = 'success'
        and payments.kind in ('sale', 'capture', 'refund')
        and coalesce(payments.currency, '{{ var("shop_currency") }}') = '{{ var("shop_currency") }}'
        and {{ shop_day('payments.processed_at') }} <= {{ as_of_date() }}
    group by 1, 2

),

foreign_bills as (

    select distinct paid_for, paid_id
    from {{ ref('fct_payments') }}
    where payment_currency_code <> currency_code

),

settled as (

    select
        coalesce(settlements.order_id, settlements.membership_id || '|' || cast(settlements.term_number as {{ string_type() }}))
            as bill,
        settlements.collected_amount
    from {{ ref('fct_payment_settlements') }} as settlements
    left join foreign_bills
        on settlements.paid_for = foreign_bills.paid_for
        and settlements.paid_id = foreign_bills.paid_id
    where foreign_bills.paid_id is null

),

-- Money for a test order, a deleted one, or one from after the night is no trade.
outside as (

    select stg_orders.order_id
    from {{ ref('stg_orders') }} as stg_orders
    left join {{ ref('fct_orders') }} as orders on stg_orders.order_id = orders.order_id
    where
        orders.order_id is null
        or stg_orders.is_deleted -- tombstones wanted

)

select
    coalesce(attempts.bill, settled.bill) as bill,
    attempts.attempted_amount,
    settled.collected_amount

from attempts
full outer join settled on attempts.bill = settled.bill
left join outside on attempts.order_id = outside.order_id
where
    outside.order_id is null
    and coalesce(attempts.attempted_amount, 0) <> coalesce(settled.collected_amount, 0)
    -- A fee of a deleted membership, or of a term that begins later, is no fee of this night.
    and (settled.bill is not null or attempts.order_id is not null)

{{ config(severity='warn') }}
-- One refund above its order is in quarantine already; several that exceed it together are listed here.
select
    order_id,
    gross_amount - discount_amount as paid_for_items_amount,
    refund_amount

from {{ ref('fct_orders') }}
where refund_amount > gross_amount - discount_amount + 0.01

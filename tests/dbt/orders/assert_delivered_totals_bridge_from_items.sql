{{ config(severity='warn') }}
-- gross - discount + shipping + tax = total, in the order's own currency. What the shop delivers wrongly is the shop's to
-- correct: the night goes on and lists the orders.
select
    order_id,
    gross_item_amount,
    discount_amount,
    shipping_amount,
    tax_amount,
    total_amount,
    gross_item_amount - coalesce(discount_amount, 0) + coalesce(shipping_amount, 0) + coalesce(tax_amount, 0)
        as total_from_items

from {{ ref('stg_orders') }}
where
    not is_deleted
    and abs(
        gross_item_amount - coalesce(discount_amount, 0) + coalesce(shipping_amount, 0) + coalesce(tax_amount, 0)
        - total_amount
    ) > 0.01

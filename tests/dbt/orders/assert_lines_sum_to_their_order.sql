{{ config(severity='warn') }}
-- Units times price of the lines = items of the order, within a cent. In another currency each line is rounded once, so a
-- cent for every line is no error there.
select
    order_id,
    order_currency_code,
    line_count,
    gross_amount,
    line_gross_amount

from {{ ref('int_orders__valued') }}
where
    line_count > 0
    and abs(gross_amount - line_gross_amount) > 0.01 * case
        when order_currency_code = '{{ var("shop_currency") }}' then 1 else line_count
    end

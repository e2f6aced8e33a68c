{{ config(severity='warn') }}

-- One return at a time is judged in staging; two returns of one line can still bring back more than was sent.
select
    order_line_id,
    order_id,
    ordered_quantity,
    received_quantity
from {{ ref('fct_returns') }}
where received_quantity > ordered_quantity

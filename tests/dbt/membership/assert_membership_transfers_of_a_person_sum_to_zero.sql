select
    customer_id,
    program,
    month_start,
    sum(transferred_mrr_amount) as transferred_mrr_amount
from {{ ref('fct_membership_movements') }}
group by 1, 2, 3
having sum(transferred_mrr_amount) <> 0

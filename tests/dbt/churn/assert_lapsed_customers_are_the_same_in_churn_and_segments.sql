select
    churn.customer_id,
    churn.is_lapsed_fixed,
    segments.lifecycle_stage
from {{ ref('fct_customer_churn') }} as churn
inner join {{ ref('fct_customer_segments') }} as segments on churn.customer_id = segments.customer_id
where churn.is_lapsed_fixed <> (segments.lifecycle_stage = 'lapsed')

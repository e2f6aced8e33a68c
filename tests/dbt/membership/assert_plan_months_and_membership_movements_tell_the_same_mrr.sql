{%- set amounts = [
    'opening', 'new', 'trial_conversion', 'expansion', 'contraction', 'churn_voluntary',
    'churn_involuntary', 'reactivation', 'paused', 'resumed', 'closing',
] -%}

with

movements as (

    select
        month_start,
        program
        {%- for amount in amounts %},
        sum({{ amount }}_mrr_amount) as {{ amount }}
        {%- endfor %},
        sum(transferred_mrr_amount) as transferred
    from {{ ref('fct_membership_movements') }}
    group by 1, 2

),

plan_months as (

    select
        month_start,
        program
        {%- for amount in amounts %},
        sum({{ amount }}_mrr_amount) as {{ amount }}
        {%- endfor %},
        -- inside a program, what a plan gives another one receives
        sum(switched_in_mrr_amount + switched_out_mrr_amount) as transferred
    from {{ ref('fct_membership_months') }}
    group by 1, 2

)

{% for amount in amounts + ['transferred'] -%}
select
    '{{ amount }}' as amount,
    coalesce(movements.month_start, plan_months.month_start) as month_start,
    coalesce(movements.program, plan_months.program) as program,
    movements.{{ amount }} as in_movements,
    plan_months.{{ amount }} as in_plan_months
from movements
full outer join plan_months
    on movements.month_start = plan_months.month_start
    and movements.program = plan_months.program
where
    coalesce(movements.{{ amount }}, 0) <> coalesce(plan_months.{{ amount }}, 0)
    {{- " or coalesce(movements.transferred, 0) <> 0" if amount == 'transferred' }}
{{ 'union all' if not loop.last }}
{% endfor %}

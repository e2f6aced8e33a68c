with

months as (

    select
        paid_for,
        sum(attempts) as attempts,
        sum(failed_attempts) as failed_attempts,
        sum(charged_amount - paid_back_amount) as collected_amount,
        sum(failed_bills) as failed_bills,
        sum(involuntary_churn_members) as involuntary_churn_members
    from {{ ref('fct_payment_months') }}
    group by 1

),

settlements as (

    select
        paid_for,
        sum(attempt_count) as attempts,
        sum(failed_attempt_count) as failed_attempts,
        sum(collected_amount) as collected_amount,
        count(*) filter (where failed_attempt_count > 0 and failure_outcome <> 'paid_before') as failed_bills,
        count(*) filter (where is_involuntary_churn) as involuntary_churn_members
    from {{ ref('fct_payment_settlements') }}
    group by 1
    having sum(attempt_count) > 0 or sum(abs(collected_amount)) > 0

)

select
    coalesce(months.paid_for, settlements.paid_for) as paid_for,
    months.attempts as attempts_of_months,
    settlements.attempts as attempts_of_bills,
    months.collected_amount as collected_of_months,
    settlements.collected_amount as collected_of_bills,
    months.failed_bills as failed_of_months,
    settlements.failed_bills as failed_of_bills

from months
full outer join settlements on months.paid_for = settlements.paid_for
where
    months.attempts is distinct from settlements.attempts
    or months.failed_attempts is distinct from settlements.failed_attempts
    or months.collected_amount is distinct from settlements.collected_amount
    or months.failed_bills is distinct from settlements.failed_bills
    or months.involuntary_churn_members is distinct from settlements.involuntary_churn_members

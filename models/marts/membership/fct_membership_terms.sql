with

terms as (

    select * from {{ ref('int_membership__terms') }}

),

coverage as (

    select * from {{ ref('int_membership__coverage') }}

),

final as (

    select
        -- keys
        terms.membership_id,
        terms.term_number,
        terms.membership_term_id,
        terms.customer_id,
        terms.program,
        terms.plan_code,
        terms.billing_period,
        cast(coverage.spell_number as bigint) as spell_number,

        -- measures
        terms.net_fee_amount,
        terms.fee_paid_amount,
        terms.mrr_amount,
        '{{ var("shop_currency") }}' as currency_code,

        -- attributes
        terms.payment_status,
        coalesce(coverage.outcome, 'unpaid') as outcome,

        -- flags
        terms.is_covering,
        coalesce(coverage.is_due, false) as is_due,
        coalesce(coverage.is_decided, false) as is_decided,
        coalesce(coverage.is_decided and coverage.outcome = 'renewed', false) as is_renewed,
        coalesce(coverage.is_recovered, false) as is_recovered,

        -- times
        terms.term_start,
        terms.term_end,
        terms.due_date,
        terms.paid_date,
        terms.covered_from,
        coverage.covered_until,
        coverage.continued_date,
        coverage.cancel_requested_date,
        {{ as_of_date() }} as as_of_date

    from terms
    left join coverage on terms.membership_term_id = coverage.membership_term_id

)

select * from final

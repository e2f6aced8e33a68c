{#- What one rounding of a converted amount can move: an order is converted in four parts, its refunds in three more. -#}
{%- set converted_tolerance = '0.05' -%}
{%- set grace = var('membership_grace_days') -%}

with

payments as (

    select * from {{ ref('fct_payments') }}

),

orders as (

    select * from {{ ref('fct_orders') }}

),

refunds as (

    select * from {{ ref('fct_refunds') }}

),

terms as (

    select * from {{ ref('fct_membership_terms') }}

),

first_payments as (

    select
        paid_for,
        min(processed_date) as first_date
    from payments
    group by 1

),

paid as (

    select
        paid_for,
        paid_id,
        {{ money_sum("case when payment_status = 'success' and payment_kind <> 'refund' then collected_amount end") }}
            as charged_amount,
        {{ money_sum("case when payment_kind = 'refund' then -collected_amount end") }} as paid_back_amount,
        {{ money_sum("case when payment_kind = 'refund' and payment_method in ('store_credit', 'gift_card')"
            ~ " then -collected_amount end") }} as credited_back_amount,
        {{ money_sum('collected_amount') }} as collected_amount,
        {{ money_sum("case when payment_status = 'pending' and payment_kind in ('sale', 'capture') then payment_amount end") }}
            as pending_amount,
        cast(count(*) filter (where is_charge_attempt) as bigint) as attempt_count,
        cast(count(*) filter (where is_failed_charge) as bigint) as failed_attempt_count,
        cast(count(*) filter (where is_retry) as bigint) as retry_count,
        bool_or(payment_currency_code <> currency_code) as is_converted,
        bool_or(payment_amount is null) as has_unknown_amount,
        min(case when is_failed_charge then processed_date end) as first_failed_date,
        min_by(hours_to_recovery, attempt_number) filter (where is_failed_charge) as hours_to_recovery,
        max(case when payment_kind in ('sale', 'capture') and payment_status = 'success' then 1 else 0 end) = 1
            as has_paid,
        min_by(payment_method, attempt_number) filter (where is_charge_attempt) as payment_method

    from payments
    group by 1, 2

),

refunds_per_order as (

    select
        order_id,
        {{ money_sum("case when coalesce(refund_destination, 'original') = 'original'"
            ~ " then refund_amount + tax_amount + shipping_amount end") }} as money_back_amount,
        {{ money_sum("case when refund_destination <> 'original'"
            ~ " then refund_amount + tax_amount + shipping_amount end") }} as credit_back_amount
    from refunds
    group by 1

),

-- Who has delivered payments for a while and none for this order says that it is not paid; before the first payment
-- nobody says anything.
owed_orders as (

    select
        'order' as paid_for,
        orders.order_id as paid_id,
        orders.order_id,
        cast(null as {{ string_type() }}) as membership_id,
        cast(null as integer) as term_number,
        orders.customer_id,
        case when orders.is_sale then orders.total_amount else cast(0 as decimal(18, 2)) end as due_amount,
        -- Store credit and gift cards are promises. Some shops tell of them among the payments, others do not.
        case
            when not orders.is_sale then cast(0 as decimal(18, 2))
            else coalesce(refunds_per_order.money_back_amount, 0)
                + least(coalesce(refunds_per_order.credit_back_amount, 0), coalesce(paid.credited_back_amount, 0))
        end as due_back_amount,
        orders.order_currency_code <> '{{ var("shop_currency") }}' as is_foreign,
        orders.ordered_date as due_date,
        cast(null as {{ string_type() }}) as term_outcome

    from orders
    left join refunds_per_order on orders.order_id = refunds_per_order.order_id
    left join first_payments on first_payments.paid_for = 'order'
    left join paid on paid.paid_for = 'order' and orders.order_id = paid.paid_id
    where
        paid.paid_id is not null
        or (orders.is_sale and orders.total_amount > 0 and orders.ordered_date >= first_payments.first_date)

),

-- What became of the cover that the fee was to continue.
followed_terms as (

    select
        *,
        lag(outcome) over (partition by membership_id order by term_number asc nulls last) as outcome_before
    from terms

),

owed_terms as (

    select
        'membership_term' as paid_for,
        followed_terms.membership_term_id as paid_id,
        cast(null as {{ string_type() }}) as order_id,
        followed_terms.membership_id,
        followed_terms.term_number,
        followed_terms.customer_id,
        case
            when followed_terms.billing_period <> 'trial' and followed_terms.payment_status not in ('waived', 'refunded')
                then coalesce(followed_terms.net_fee_amount, 0)
            else cast(0 as decimal(18, 2))
        end as due_amount,
        cast(0 as decimal(18, 2)) as due_back_amount,
        cast(false as boolean) as is_foreign,
        followed_terms.due_date,
        case
            when followed_terms.is_covering then 'covered'
            when followed_terms.outcome_before in ('ended_involuntary', 'ended_voluntary', 'undecided')
                then followed_terms.outcome_before
            when followed_terms.outcome_before is null then 'never_began'
            else 'not_covered'
        end as term_outcome

    from followed_terms
    left join first_payments on first_payments.paid_for = 'membership_term'
    left join paid on paid.paid_for = 'membership_term' and followed_terms.membership_term_id = paid.paid_id
    where
        paid.paid_id is not null
        or (
            followed_terms.billing_period <> 'trial'
            and followed_terms.payment_status = 'paid'
            and followed_terms.net_fee_amount > 0
            and followed_terms.paid_date >= first_payments.first_date
        )

),

owed as (

    select * from owed_orders
    union all
    select * from owed_terms

),

compared as (

    select
        owed.*,
        coalesce(paid.charged_amount, 0) as charged_amount,
        coalesce(paid.paid_back_amount, 0) as paid_back_amount,
        coalesce(paid.collected_amount, 0) as collected_amount,
        coalesce(paid.pending_amount, 0) as pending_amount,
        owed.due_amount - owed.due_back_amount as expected_amount,
        coalesce(paid.attempt_count, 0) as attempt_count,
        coalesce(paid.failed_attempt_count, 0) as failed_attempt_count,
        coalesce(paid.retry_count, 0) as retry_count,
        case when owed.is_foreign or coalesce(paid.is_converted, false) then {{ converted_tolerance }} else 0.005 end
            as tolerance,
        coalesce(paid.has_unknown_amount, false) as has_unknown_amount,
        coalesce(paid.has_paid, false) as has_paid,
        paid.payment_method,
        paid.first_failed_date,
        paid.hours_to_recovery

    from owed
    left join paid on owed.paid_for = paid.paid_for and owed.paid_id = paid.paid_id

),

final as (

    select
        -- keys
        paid_for,
        paid_id,
        order_id,
        membership_id,
        term_number,
        customer_id,

        -- measures
        cast(due_amount as decimal(18, 2)) as due_amount,
        cast(due_back_amount as decimal(18, 2)) as due_back_amount,
        cast(expected_amount as decimal(18, 2)) as expected_amount,
        cast(charged_amount as decimal(18, 2)) as charged_amount,
        cast(paid_back_amount as decimal(18, 2)) as paid_back_amount,
        cast(collected_amount as decimal(18, 2)) as collected_amount,
        cast(collected_amount - expected_amount as decimal(18, 2)) as difference_amount,
        cast(pending_amount as decimal(18, 2)) as pending_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,
        attempt_count,
        failed_attempt_count,
        retry_count,
        hours_to_recovery,

        -- attributes
        coalesce(payment_method, 'unknown') as payment_method,
        case
            when has_unknown_amount then 'unknown'
            when abs(collected_amount - expected_amount) <= tolerance then 'settled'
            when collected_amount > expected_amount then 'overpaid'
            when pending_amount > 0 then 'pending'
            when charged_amount = 0 then 'unpaid'
            else 'underpaid'
        end as settlement,
        -- Recovered is recovered by whichever way the money came; nothing is lost while the grace runs.
        case
            when failed_attempt_count = 0 then null
            when hours_to_recovery is not null or (not has_paid and term_outcome = 'covered') then 'recovered'
            when has_paid then 'paid_before'
            when term_outcome = 'ended_voluntary' then 'cancelled'
            when term_outcome = 'ended_involuntary' then 'lost'
            when {{ add_days('first_failed_date', grace) }} > {{ as_of_date() }} or term_outcome = 'undecided' then 'open'
            else 'lost'
        end as failure_outcome,

        -- flags
        abs(collected_amount - expected_amount) <= tolerance and not has_unknown_amount as is_settled,
        -- The member did not leave: the money did not come.
        coalesce(failed_attempt_count > 0 and not has_paid and term_outcome = 'ended_involuntary', false)
            as is_involuntary_churn,

        -- times
        due_date,
        first_failed_date,
        {{ as_of_date() }} as as_of_date

    from compared

)

select * from final

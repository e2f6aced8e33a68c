with

payments as (

    select * from {{ ref('fct_payments') }}

),

settlements as (

    select * from {{ ref('fct_payment_settlements') }}

),

attempts_per_month as (

    select
        {{ month_of('processed_date') }} as month_start,
        paid_for,
        payment_method,
        cast(count(*) filter (where is_charge_attempt) as bigint) as attempts,
        cast(count(*) filter (where is_failed_charge) as bigint) as failed_attempts,
        cast(count(*) filter (where is_retry) as bigint) as retries,
        cast(count(*) filter (where is_retry and payment_status = 'success') as bigint) as successful_retries,
        {{ money_sum("case when payment_kind <> 'refund' then collected_amount end") }} as charged_amount,
        {{ money_sum("case when payment_kind = 'refund' then -collected_amount end") }} as paid_back_amount

    from payments
    group by 1, 2, 3

),

-- What failed is followed from the month of its first failure, whenever the money came.
failures_per_month as (

    select
        {{ month_of('first_failed_date') }} as month_start,
        paid_for,
        payment_method,
        cast(count(*) filter (where failure_outcome <> 'paid_before') as bigint) as failed_bills,
        cast(count(*) filter (where failure_outcome = 'recovered') as bigint) as recovered_bills,
        cast(count(*) filter (where failure_outcome = 'lost') as bigint) as lost_bills,
        cast(count(*) filter (where failure_outcome = 'cancelled') as bigint) as cancelled_bills,
        cast(count(*) filter (where failure_outcome = 'open') as bigint) as open_bills,
        cast(count(*) filter (where is_involuntary_churn) as bigint) as involuntary_churn_members,
        {{ money_sum("case when failure_outcome = 'lost' then expected_amount - collected_amount end") }} as lost_amount

    from settlements
    where first_failed_date is not null
    group by 1, 2, 3

),

joined as (

    select
        coalesce(attempts_per_month.month_start, failures_per_month.month_start) as month_start,
        coalesce(attempts_per_month.paid_for, failures_per_month.paid_for) as paid_for,
        coalesce(attempts_per_month.payment_method, failures_per_month.payment_method) as payment_method,
        {% for count in ['attempts', 'failed_attempts', 'retries', 'successful_retries', 'charged_amount', 'paid_back_amount'] -%}
        coalesce(attempts_per_month.{{ count }}, 0) as {{ count }},
        {% endfor -%}
        {% for count in [
            'failed_bills', 'recovered_bills', 'lost_bills', 'cancelled_bills', 'open_bills',
            'involuntary_churn_members', 'lost_amount'] -%}
        coalesce(failures_per_month.{{ count }}, 0) as {{ count }}{{ ',' if not loop.last }}
        {% endfor %}
    from attempts_per_month
    full outer join failures_per_month
        on attempts_per_month.month_start = failures_per_month.month_start
        and attempts_per_month.paid_for = failures_per_month.paid_for
        and attempts_per_month.payment_method = failures_per_month.payment_method

),

-- A failure of the month's last day may be made good until the grace is over.
dated as (

    select
        *,
        {{ end_of_month('month_start') }} <= {{ as_of_date() }} as is_complete,
        {{ add_days(end_of_month('month_start'), var('membership_grace_days')) }} <= {{ as_of_date() }} as is_mature
    from joined

),

final as (

    select
        -- keys
        month_start,
        paid_for,
        payment_method,

        -- measures: attempts of the month
        attempts,
        failed_attempts,
        {{ ratio('failed_attempts', 'attempts') }} as failure_rate,
        {{ wilson_low('failed_attempts', 'attempts') }} as failure_rate_low,
        {{ wilson_high('failed_attempts', 'attempts') }} as failure_rate_high,
        retries,
        successful_retries,
        cast(charged_amount as decimal(18, 2)) as charged_amount,
        cast(paid_back_amount as decimal(18, 2)) as paid_back_amount,

        -- measures: orders and terms whose first failure fell into the month
        failed_bills,
        recovered_bills,
        lost_bills,
        cancelled_bills,
        open_bills,
        involuntary_churn_members,
        case when is_mature then {{ ratio('recovered_bills', 'failed_bills') }} end as recovery_rate,
        case when is_mature then {{ wilson_low('recovered_bills', 'failed_bills') }} end as recovery_rate_low,
        case when is_mature then {{ wilson_high('recovered_bills', 'failed_bills') }} end as recovery_rate_high,
        cast(lost_amount as decimal(18, 2)) as lost_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        is_complete,
        is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

with

coverage as (

    select * from {{ ref('int_membership__coverage') }}
    where membership_term_id is not null

),

terms as (

    select * from {{ ref('int_membership__terms') }}

),

benefit_usage as (

    select * from {{ ref('stg_membership_benefit_usage') }}
    where
        not is_deleted
        and {{ is_known('used_at') }}

),

-- The last term of a run that neither ended nor went on: its renewal is still to be decided.
running as (

    select *
    from coverage
    where
        is_run_end
        and ended_date is null
        and continued_date is null

),

paid_terms as (

    select * from terms
    where
        payment_status = 'paid'
        and billing_period <> 'trial'
        and net_fee_amount is not null

),

-- What a plan costs when it is renewed, and what its first term costs, which may be reduced.
plans as (

    select
        plan_code,
        max(billing_period) as paid_billing_period,
        max(term_months) as paid_term_months,
        coalesce(
            median(case when term_number > 1 then cast(net_fee_amount as double) end),
            max(cast(net_fee_amount as double))
        ) as renewal_fee_amount,
        coalesce(
            avg(case when term_number = 1 then cast(net_fee_amount as double) end),
            max(cast(net_fee_amount as double))
        ) as first_fee_amount

    from paid_terms
    group by 1

),

-- A pause is a renewal without a fee.
pauses as (

    select
        billing_period,
        {{ ratio("count(*) filter (where payment_status = 'paid')", 'count(*)') }} as paid_share
    from terms
    where
        is_covering
        and billing_period <> 'trial'
        and term_number > 1
    group by 1

),

benefits as (

    select
        membership_id,
        {{ money_sum('cost_amount') }} as benefit_cost_amount
    from benefit_usage
    -- The parcel's cost stands in the order already; counted here too it would be paid twice.
    where not (benefit_code = 'shipping' and order_id is not null)
    group by 1

),

tenures as (

    select
        membership_id,
        cast(sum({{ days_between(
            'covered_from',
            'least(covered_until, ' ~ add_days(as_of_date(), 1) ~ ')'
        ) }}) as bigint) as covered_days
    from coverage
    group by 1

),

final as (

    select
        -- keys
        running.membership_id,
        running.customer_id,
        running.billing_period,
        plans.paid_billing_period,
        running.term_number,

        -- measures
        plans.paid_term_months,
        {{ days_between(as_of_date(), 'running.renewal_due_date') }} as days_to_renewal,
        case
            when running.billing_period = 'trial' then plans.first_fee_amount
            else plans.renewal_fee_amount
        end * coalesce(pauses.paid_share, 1) as next_fee_amount,
        coalesce(benefits.benefit_cost_amount, 0) as benefit_cost_amount,
        tenures.covered_days,

        -- flags
        running.cancel_requested_date is not null as is_cancel_requested,

        -- times
        {{ as_of_date() }} as as_of_date

    from running
    -- Of a plan that nobody has paid yet, neither the fee nor the term is known.
    inner join plans on running.plan_code = plans.plan_code
    inner join tenures on running.membership_id = tenures.membership_id
    left join pauses on plans.paid_billing_period = pauses.billing_period
    left join benefits on running.membership_id = benefits.membership_id

)

select * from final

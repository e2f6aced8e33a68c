with

terms as (

    select * from {{ ref('int_membership__terms') }}

),

coverage as (

    select * from {{ ref('int_membership__coverage') }}

),

benefit_usage as (

    select * from {{ ref('stg_membership_benefit_usage') }}
    where
        not is_deleted
        and {{ is_known('used_at') }}

),

scores as (

    select * from {{ ref('stg_scores_membership_value') }}

),

fees as (

    select
        membership_id,
        customer_id,
        program,
        cast(count(*) filter (where payment_status = 'paid' and billing_period <> 'trial') as bigint)
            as paid_terms,
        {{ money_sum('fee_paid_amount') }} as fee_paid_amount

    from terms
    group by 1, 2, 3

),

-- A membership without a covered day (its first fee failed) has no tenure and still used what it used.
tenures as (

    select
        membership_id,
        min(covered_from) as started_date,
        max(case when state_until <= {{ as_of_date() }} then state_until else {{ as_of_date() }} end)
            as last_seen_date,
        max(case when is_run_end then outcome end) as outcome,
        bool_or(state_until > {{ as_of_date() }}) as is_running,
        max_by(plan_code, covered_from) as plan_code

    from coverage
    group by 1

),

benefits as (

    select
        membership_id,
        cast(count(*) as bigint) as benefit_uses,
        {{ money_sum("case when benefit_code = 'shipping' then retail_value_amount else 0 end") }}
            as shipping_saved_amount,
        {{ money_sum("case when benefit_code = 'deal' then retail_value_amount else 0 end") }}
            as deal_saved_amount,
        {{ money_sum("case when benefit_code not in ('shipping', 'deal')
            then retail_value_amount else 0 end") }} as other_benefit_amount,
        {{ money_sum('cost_amount') }} as cost_to_serve_amount

    from benefit_usage
    group by 1

),

valued as (

    select
        fees.*,
        tenures.plan_code,
        tenures.started_date,
        tenures.is_running,
        {{ days_between('tenures.started_date', 'tenures.last_seen_date') }} as tenure_days,
        coalesce(benefits.benefit_uses, 0) as benefit_uses,
        coalesce(benefits.shipping_saved_amount, 0) as shipping_saved_amount,
        coalesce(benefits.deal_saved_amount, 0) as deal_saved_amount,
        coalesce(benefits.other_benefit_amount, 0) as other_benefit_amount,
        coalesce(benefits.cost_to_serve_amount, 0) as cost_to_serve_amount,
        scores.p_next_renewal,
        scores.membership_value_365d_amount,
        scores.membership_value_365d_p10_amount,
        scores.membership_value_365d_p90_amount,
        coalesce(
            benefits.shipping_saved_amount + benefits.deal_saved_amount
            + benefits.other_benefit_amount,
            0
        ) as benefit_value_amount

    from fees
    left join tenures on fees.membership_id = tenures.membership_id
    left join benefits on fees.membership_id = benefits.membership_id
    left join scores on fees.membership_id = scores.membership_id

),

final as (

    select
        -- keys
        membership_id,
        customer_id,
        program,
        coalesce(plan_code, 'unknown') as plan_code,

        -- measures
        paid_terms,
        benefit_uses,
        tenure_days,
        fee_paid_amount,
        cast(shipping_saved_amount as decimal(18, 2)) as shipping_saved_amount,
        cast(deal_saved_amount as decimal(18, 2)) as deal_saved_amount,
        cast(other_benefit_amount as decimal(18, 2)) as other_benefit_amount,
        cast(benefit_value_amount as decimal(18, 2)) as benefit_value_amount,
        cast(cost_to_serve_amount as decimal(18, 2)) as cost_to_serve_amount,
        cast(benefit_value_amount - fee_paid_amount as decimal(18, 2))
            as net_value_to_member_amount,
        cast(fee_paid_amount - cost_to_serve_amount as decimal(18, 2))
            as net_value_to_shop_amount,
        p_next_renewal,
        membership_value_365d_amount,
        membership_value_365d_p10_amount,
        membership_value_365d_p90_amount,
        '{{ var("shop_currency") }}' as currency_code,

        -- flags
        benefit_value_amount >= fee_paid_amount as is_break_even,
        coalesce(is_running, false) as is_running,

        -- times
        started_date,
        {{ as_of_date() }} as as_of_date

    from valued

)

select * from final

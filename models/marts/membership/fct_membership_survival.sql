with

coverage as (

    select * from {{ ref('int_membership__coverage') }}
    where is_decided

),

-- Every term counted here has had its whole window, so cohorts of all ages may be added up: a term
-- that is not decided yet is at risk in no row (Kaplan-Meier by term).
counted as (

    select
        program,
        plan_code,
        billing_period,
        term_number,
        cast(count(*) as bigint) as decided_terms,
        cast(count(*) filter (where outcome = 'renewed') as bigint) as renewed_terms

    from coverage
    group by 1, 2, 3, 4

),

rated as (

    select
        *,
        case
            when renewed_terms = 0 then cast(0 as double)
            else {{ ratio('renewed_terms', 'decided_terms') }}
        end as renewal_rate,
        row_number() over earlier_terms as place,
        min(term_number) over earlier_terms as first_term_number

    from counted
    window earlier_terms as (
        partition by program, plan_code, billing_period
        order by term_number asc nulls last
        rows between unbounded preceding and current row
    )

),

multiplied as (

    select
        *,
        case
            when term_number - first_term_number + 1 = place
                and first_term_number = case when billing_period = 'trial' then 0 else 1 end
                then {{ running_product('renewal_rate', 'earlier_terms') }}
        end as survival_rate,
        -- Greenwood's sum; undefined from the term on at which nobody is left
        sum({{ ratio('decided_terms - renewed_terms', 'decided_terms * renewed_terms') }})
            over earlier_terms as greenwood_sum

    from rated
    window earlier_terms as (
        partition by program, plan_code, billing_period
        order by term_number asc nulls last
        rows between unbounded preceding and current row
    )

),

final as (

    select
        -- keys
        program,
        plan_code,
        billing_period,
        term_number,

        -- measures
        decided_terms,
        renewed_terms,
        renewal_rate,
        {{ wilson_low('renewed_terms', 'decided_terms') }} as renewal_rate_low,
        {{ wilson_high('renewed_terms', 'decided_terms') }} as renewal_rate_high,
        survival_rate,
        case when survival_rate > 0 then survival_rate * sqrt(greenwood_sum) end
            as survival_standard_error,

        -- times
        {{ as_of_date() }} as as_of_date

    from multiplied

)

select * from final

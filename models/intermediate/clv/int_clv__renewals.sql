with

coverage as (

    select * from {{ ref('int_membership__coverage') }}
    where membership_term_id is not null

),

followed as (

    select
        *,
        coalesce(lead(is_recovered) over (
            partition by membership_id, run_number
            order by covered_from asc nulls last, term_number asc nulls last
        ), false) as is_next_paid_late
    from coverage

),

final as (

    select
        -- keys
        billing_period,
        term_number,

        -- measures
        cast(count(*) as bigint) as decided_terms,
        cast(count(*) filter (where outcome = 'renewed') as bigint) as renewed_terms,
        cast(count(*) filter (where outcome = 'renewed' and is_next_paid_late) as bigint)
            as renewed_late_terms

    from followed
    where is_decided
    group by 1, 2

)

select * from final

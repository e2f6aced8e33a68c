with

spells as (

    select
        {{ month_of('ended_date') }} as month_start,
        program,
        end_type,
        count(*) as ended_spells
    from {{ ref('int_membership__spells') }}
    where ended_date is not null and paid_term_count > 0
    group by 1, 2, 3

),

member_months as (

    select
        month_start,
        program,
        sum(churn_voluntary_members) as voluntary,
        sum(churn_involuntary_members) as involuntary,
        sum(ended_while_paused_members) as while_paused
    from {{ ref('fct_membership_months') }}
    group by 1, 2

),

compared as (

    select
        member_months.month_start,
        member_months.program,
        member_months.voluntary,
        member_months.involuntary,
        member_months.while_paused,
        coalesce(sum(spells.ended_spells), 0) as ended_spells,
        coalesce(sum(case when spells.end_type = 'voluntary' then spells.ended_spells end), 0)
            as ended_voluntary_spells

    from member_months
    left join spells
        on member_months.month_start = spells.month_start
        and member_months.program = spells.program
    group by 1, 2, 3, 4, 5

)

-- A paid spell ends once: as churn, or out of a pause, which has no reason of its own in the mart.
select * from compared
where
    voluntary + involuntary + while_paused <> ended_spells
    or ended_voluntary_spells not between voluntary and voluntary + while_paused

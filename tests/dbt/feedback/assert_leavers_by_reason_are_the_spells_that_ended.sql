-- Every spell that ended has exactly one reason.
with

spells as (

    select count(*) as leavers
    from {{ ref('int_membership__spells') }}
    where ended_date is not null

),

reasons as (

    select coalesce(sum(leavers), 0) as leavers from {{ ref('fct_leaving_reasons') }}

)

select
    spells.leavers as spells_that_ended,
    reasons.leavers as leavers_by_reason

from spells
cross join reasons
where spells.leavers <> reasons.leavers

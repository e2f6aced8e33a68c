-- Every table with quarantined rows has reasons, at least as many as rows, and no other table has any.
with

reasons as (

    select
        source_table,
        sum(quarantined_rows) as reasons
    from {{ ref('fct_quarantine_reasons') }}
    group by 1

)

select
    sources.source_table,
    sources.quarantined_rows,
    reasons.reasons
from {{ ref('fct_source_conservation') }} as sources
left join reasons on sources.source_table = reasons.source_table
where
    coalesce(reasons.reasons, 0) < sources.quarantined_rows
    or (sources.quarantined_rows = 0 and reasons.reasons is not null)

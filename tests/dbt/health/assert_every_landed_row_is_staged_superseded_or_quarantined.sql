-- Landed = staged + superseded + quarantined, for every table.
select
    source_table,
    landed_rows,
    staged_rows,
    superseded_rows,
    quarantined_rows,
    difference_rows
from {{ ref('fct_source_conservation') }}
where difference_rows <> 0 or deleted_rows > staged_rows

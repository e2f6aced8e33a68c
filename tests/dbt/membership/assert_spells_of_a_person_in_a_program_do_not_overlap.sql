with

spells as (

    select * from {{ ref('int_membership__spells') }}

)

select
    spells.customer_id,
    spells.program,
    spells.spell_number,
    spells.ended_date,
    later.spell_number as later_spell_number,
    later.started_date as later_started_date
from spells
inner join spells as later
    on spells.customer_id = later.customer_id
    and spells.program = later.program
    and spells.spell_number < later.spell_number
where coalesce(spells.ended_date, cast('9999-12-31' as date)) > later.started_date

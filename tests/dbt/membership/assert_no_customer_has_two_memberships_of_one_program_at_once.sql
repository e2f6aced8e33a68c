{{ config(severity='warn') }}

-- Not wrong, but worth a call: this person pays twice. Spells count the person once.
select
    customer_id,
    program,
    spell_number,
    first_membership_id,
    last_membership_id,
    membership_count,
    started_date
from {{ ref('int_membership__spells') }}
where has_overlapping_memberships

-- By the published consents: every included row but a contract's names a yes for the purpose and channel of its audience
-- that held in the night's last second, and no refusal of marketing, or of the profile that it was chosen by, held beside it.
with

audiences as (

    {{ audience_rows() }}
),

members as (

    select
        members.audience,
        members.customer_id,
        members.consent_event_id,
        audiences.channel,
        audiences.purpose,
        audiences.is_profiled
    from {{ ref('fct_audience_members') }} as members
    inner join audiences on members.audience = audiences.audience
    where members.is_included and not audiences.is_transactional

),

consents as (

    select * from {{ ref('fct_consents') }}
    where is_current

)

select
    members.audience,
    members.customer_id,
    members.consent_event_id,
    granted.status,
    refused.purpose as refused_purpose
from members
left join consents as granted
    on members.customer_id = granted.customer_id
    and members.channel = granted.channel
    and members.purpose = granted.purpose
    and members.consent_event_id = granted.consent_event_id
left join consents as refused
    on members.customer_id = refused.customer_id
    and members.channel = refused.channel
    and refused.status in ('withdrawn', 'complained')
    and (refused.purpose = 'marketing' or (members.is_profiled and refused.purpose = 'profiling'))
where
    not coalesce(granted.is_granted, false)
    or refused.customer_id is not null

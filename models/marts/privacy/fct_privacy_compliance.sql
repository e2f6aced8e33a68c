{#- Days in which a request must be answered, by law, where the shop names no date: one month, and 45 days in California. -#}
{%- set days_allowed = 30 -%}
{%- set days_allowed_ccpa = 45 -%}

with

requests as (

    select * from {{ ref('stg_privacy_requests') }}
    where
        not is_deleted
        and {{ is_known('received_at') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

erasures as (

    select * from {{ ref('int_identity__erasures') }}

),

residues as (

    select
        customer_id,
        cast(sum(row_count) as bigint) as residual_rows,
        {{ sorted_words('mart_name') }} as residual_marts
    from {{ ref('fct_erasure_residues') }}
    group by 1

),

dated as (

    select
        requests.request_id,
        requests.request_type,
        coalesce(requests.regime, 'unknown') as regime,
        coalesce(requests.legal_hold, false) as has_legal_hold,
        identity_map.customer_id,
        erasures.source_customer_id is not null
            and requests.request_type = 'erasure'
            and {{ is_known('requests.completed_at') }}
            and not coalesce(requests.legal_hold, false) as is_erasure_done,
        {{ shop_day('requests.received_at') }} as received_date,
        coalesce(
            {{ shop_day('requests.due_at') }},
            {{ add_days(shop_day('requests.received_at'), "case when requests.regime = 'ccpa' then " ~ days_allowed_ccpa ~ " else " ~ days_allowed ~ " end") }}
        ) as due_date,
        case when {{ is_known('requests.completed_at') }} then {{ shop_day('requests.completed_at') }} end as completed_date
    from requests
    left join identity_map on requests.customer_id = identity_map.source_customer_id
    left join erasures on requests.customer_id = erasures.source_customer_id

),

final as (

    select
        -- keys
        dated.request_id,
        dated.customer_id,

        -- attributes
        dated.request_type,
        dated.regime,
        case
            when dated.completed_date <= dated.due_date then 'done_in_time'
            when dated.completed_date > dated.due_date then 'done_late'
            when dated.has_legal_hold then 'on_hold'
            when dated.due_date < {{ as_of_date() }} then 'overdue'
            else 'open'
        end as request_state,
        residues.residual_marts,

        -- measures
        {{ days_between('dated.received_date', 'dated.completed_date') }} as days_to_complete,
        case
            when dated.completed_date is null and not dated.has_legal_hold and dated.due_date < {{ as_of_date() }}
                then {{ days_between('dated.due_date', as_of_date()) }}
        end as days_overdue,
        case when dated.is_erasure_done then coalesce(residues.residual_rows, 0) end as residual_rows,

        -- flags
        dated.has_legal_hold,
        coalesce(dated.is_erasure_done, false) as is_erasure_done,
        -- Decided once it is done or too late; NULL before, and while a law holds it.
        case
            when dated.completed_date is not null then dated.completed_date <= dated.due_date
            when not dated.has_legal_hold and dated.due_date < {{ as_of_date() }} then false
        end as is_on_time,

        -- times
        dated.received_date,
        dated.due_date,
        dated.completed_date,
        {{ as_of_date() }} as as_of_date

    from dated
    left join residues
        on dated.customer_id = residues.customer_id
        and dated.is_erasure_done

)

select * from final

{{ config(materialized='view') }}

with

history as (

    select * from {{ ref('int_consents__history') }}

),

-- The night's last moment.
tonight as (

    select * from history
    where {{ holds_at('history', end_of_night() ~ ' - interval 1 second') }}

),

final as (

    select
        -- keys
        customer_id,

        -- flags
        {% for channel in consent_channels() -%}
        coalesce(bool_or(is_granted) filter (where channel = '{{ channel }}' and purpose = 'marketing'), false)
            as has_{{ channel }}_consent,
        {% endfor -%}
        -- Asked once per channel: one no is a no.
        coalesce(bool_and(is_granted) filter (where purpose = 'profiling'), false) as has_profiling_consent,
        coalesce(bool_and(is_granted) filter (where purpose = 'third_party_sharing'), false) as has_sharing_consent

    from tonight
    group by 1

)

select * from final

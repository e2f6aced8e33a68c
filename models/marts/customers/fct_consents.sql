with

spells as (

    select * from {{ ref('int_consents__history') }}

),

final as (

    select
        -- keys
        customer_id,
        channel,
        purpose,
        consent_event_id,
        source_table,

        -- attributes
        status,
        legal_basis,
        jurisdiction,

        -- flags
        is_granted,
        valid_to is null as is_current,

        -- times
        valid_from,
        valid_to,
        {{ as_of_date() }} as as_of_date

    from spells

)

select * from final

with

surveys as (

    select * from {{ ref('int_feedback__surveys') }}

),

final as (

    select
        -- keys
        response_id,
        customer_id,
        -- The account of an erased person would name them again.
        case when coalesce(customer_id, '') not like 'erased:%' then source_customer_id end as source_customer_id,
        order_id,
        ticket_id,

        -- measures
        score,
        response_hours,
        closed_loop_hours,

        -- attributes
        survey_type,
        touchpoint,

        -- flags
        is_answered,
        is_happy,
        is_unhappy,
        is_last_of_wave,
        is_loop_closed,
        is_turned_around,

        -- times
        sent_at,
        responded_at,
        closed_loop_at,
        sent_date,
        {{ as_of_date() }} as as_of_date

    from surveys

)

select * from final

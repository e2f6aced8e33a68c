with

tickets as (

    select * from {{ ref('int_service__tickets') }}

),

final as (

    select
        -- keys
        ticket_id,
        customer_id,
        -- The account of an erased person would name them again.
        case when coalesce(customer_id, '') not like 'erased:%' then source_customer_id end as source_customer_id,
        order_id,

        -- measures
        first_response_minutes,
        resolution_minutes,
        reopened_count,
        compensation_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,
        csat_score,

        -- attributes
        channel,
        reason_code,
        priority,
        handled_by,
        agent_group,

        -- flags
        is_answered_in_target,
        is_answered_within_limit,
        is_resolved_in_target,
        is_resolved,
        is_reopened,
        is_bot_started,
        is_contained_by_bot,
        compensation_amount > 0 as is_compensated,

        -- times
        opened_at,
        first_response_at,
        resolved_at,
        opened_date,
        {{ as_of_date() }} as as_of_date

    from tickets

)

select * from final

with

attempts as (

    select * from {{ ref('int_payments__attempts') }}

),

final as (

    select
        -- keys
        payment_id,
        paid_for,
        paid_id,
        order_id,
        membership_id,
        cast(term_number as integer) as term_number,
        customer_id,

        -- measures
        attempt_number,
        amount as payment_amount,
        collected_amount,
        hours_to_recovery,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        payment_currency_code,
        payment_kind,
        payment_status,
        payment_method,
        failure_code,

        -- flags
        is_charge_attempt,
        is_failed_charge,
        is_retry,
        is_recovered,

        -- times
        processed_at,
        processed_date,
        {{ as_of_date() }} as as_of_date

    from attempts

)

select * from final

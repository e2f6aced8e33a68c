with

merges as (

    select * from {{ ref('int_identity__merge_log') }}
    -- Who was erased has no accounts any more.
    where not is_erased

),

final as (

    select
        -- keys
        account_id,
        joined_customer_id,
        customer_id,
        previous_customer_id,

        -- attributes
        identity_rule,
        linking_rules,
        confidence,

        -- flags
        is_current,

        -- times
        valid_from,
        valid_to,
        {{ shop_day('valid_from') }} as merged_date,
        {{ as_of_date() }} as as_of_date

    from merges

)

select * from final

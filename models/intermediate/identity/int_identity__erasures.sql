{{ config(materialized='view') }}

with

requests as (

    select * from {{ ref('stg_privacy_requests') }}
    where not is_deleted

),

final as (

    select
        -- keys
        customer_id as source_customer_id,
        -- Made of the request and not of the person: nothing but the register of requests, which the law makes a shop
        -- keep, leads back.
        min_by('erased:' || md5(request_id), completed_at) as erased_key,

        -- times
        min(completed_at) as erased_at

    from requests
    where
        request_type = 'erasure'
        and {{ is_known('completed_at') }}
        and not coalesce(legal_hold, false)
        and coalesce(lower(status), 'completed') not in ('rejected', 'refused', 'denied', 'cancelled', 'withdrawn')
    group by 1

)

select * from final

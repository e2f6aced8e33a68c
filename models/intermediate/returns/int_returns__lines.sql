with

return_items as (

    select * from {{ ref('int_returns__items') }}

),

ranked as (

    select
        *,
        -- The reason and the fate of most of the units stand for the line; ties go to the first request.
        row_number() over (
            partition by order_line_id
            order by returned_quantity desc nulls last, requested_date asc nulls last, return_item_id asc nulls last
        ) as reason_rank,
        row_number() over (
            partition by order_line_id
            order by
                is_received and disposition is not null desc nulls last,
                returned_quantity desc nulls last,
                requested_date asc nulls last,
                return_item_id asc nulls last
        ) as disposition_rank

    from return_items

),

final as (

    select
        -- keys
        order_line_id,
        min(order_id) as order_id,
        min(variant_id) as variant_id,

        -- measures
        cast(count(*) as bigint) as request_count,
        min(ordered_quantity) as ordered_quantity,
        cast(sum(returned_quantity) as bigint) as requested_quantity,
        cast(coalesce(sum(returned_quantity) filter (where is_received), 0) as bigint) as received_quantity,
        {{ money_sum('case when is_received then return_shipping_cost_amount - restocking_fee_amount else 0 end') }}
            as return_cost_amount,
        {{ money_sum('cogs_recovered_amount') }} as cogs_recovered_amount,

        -- attributes
        max(case when reason_rank = 1 then reason_code end) as reason_code,
        max(case when disposition_rank = 1 and is_received then disposition end) as disposition,

        -- times
        min(ordered_date) as ordered_date,
        min(requested_date) as first_requested_date,
        max(case when is_received then received_date end) as last_received_date

    from ranked
    group by 1

)

select * from final

{#- Retention of a group is followed from a day on which the group was already known; this many days before the night. -#}
{%- set followed_days = 180 -%}

with

orders as (

    select * from {{ ref('int_deliveries__orders') }}
    where
        customer_id is not null
        and delivered_date is not null
        -- A shop that delivers no returns says nothing about them: its customers have no rate, and not one of zero.
        and exists (select 1 from {{ ref('int_returns__items') }})

),

return_items as (

    select * from {{ ref('int_returns__items') }}
    where is_received

),

days as (

    select {{ as_of_date() }} as measured_date
    union all
    select {{ add_days(as_of_date(), -followed_days) }}

),

-- Only orders whose return window had closed: the others can still come back.
delivered as (

    select
        orders.customer_id,
        days.measured_date,
        cast(sum(orders.unit_count) as bigint) as delivered_units

    from orders
    inner join days on orders.return_window_end_date <= days.measured_date
    group by 1, 2

),

returned_per_reason as (

    select
        orders.customer_id,
        days.measured_date,
        return_items.reason_code,
        cast(sum(return_items.returned_quantity) as bigint) as returned_units

    from return_items
    inner join orders on return_items.order_id = orders.order_id
    inner join days
        on orders.return_window_end_date <= days.measured_date
        and return_items.received_date <= days.measured_date
    group by 1, 2, 3

),

ranked_reasons as (

    select
        *,
        sum(returned_units) over (partition by customer_id, measured_date) as all_returned_units,
        row_number() over (
            partition by customer_id, measured_date
            order by returned_units desc nulls last, reason_code asc nulls last
        ) as reason_rank

    from returned_per_reason

),

rates as (

    select
        delivered.customer_id,
        delivered.measured_date,
        delivered.delivered_units,
        cast(coalesce(ranked_reasons.all_returned_units, 0) as bigint) as returned_units,
        {{ ratio('coalesce(ranked_reasons.all_returned_units, 0)', 'delivered.delivered_units') }} as return_rate,
        coalesce(ranked_reasons.reason_code, 'none') as main_reason_code

    from delivered
    left join ranked_reasons
        on delivered.customer_id = ranked_reasons.customer_id
        and delivered.measured_date = ranked_reasons.measured_date
        and ranked_reasons.reason_rank = 1

),

final as (

    select
        -- keys
        customer_id,
        measured_date,

        -- measures
        delivered_units,
        returned_units,
        return_rate,
        -- Customers of equal rates are never parted, so a tenth may be empty. Those who return nothing are group 0.
        case
            when returned_units = 0 then 0
            else cast(1 + least(9, floor(10 * percent_rank() over (
                partition by measured_date, returned_units = 0
                order by return_rate asc nulls last
            ))) as integer)
        end as return_rate_decile,

        -- attributes
        main_reason_code,

        -- flags
        measured_date = {{ as_of_date() }} as is_current

    from rates

)

select * from final

with

return_items as (

    select * from {{ ref('stg_return_items') }}
    where not is_deleted

),

returns as (

    select * from {{ ref('stg_returns') }}
    where not is_deleted

),

order_lines as (

    select * from {{ ref('int_orders__lines') }}
    where not is_deleted

),

parcels as (

    select
        return_items.*,
        returns.order_id,
        returns.channel,
        returns.requested_at,
        returns.received_at,
        coalesce(returns.return_shipping_cost, 0) as parcel_shipping_cost,
        coalesce(returns.restocking_fee, 0) as parcel_restocking_fee,
        -- The cost of a parcel belongs to its lines by their units.
        {{ ratio('return_items.quantity', 'sum(return_items.quantity) over (partition by return_items.return_id)') }}
            as share_of_parcel

    from return_items
    inner join returns on return_items.return_id = returns.return_id

),

final as (

    select
        -- keys
        parcels.return_item_id,
        parcels.return_id,
        parcels.order_line_id,
        order_lines.order_id,
        order_lines.variant_id,

        -- measures
        parcels.quantity as returned_quantity,
        order_lines.quantity as ordered_quantity,
        cast(round(parcels.share_of_parcel * cast(parcels.parcel_shipping_cost as double), 2) as decimal(18, 2))
            as return_shipping_cost_amount,
        cast(round(parcels.share_of_parcel * cast(parcels.parcel_restocking_fee as double), 2) as decimal(18, 2))
            as restocking_fee_amount,
        -- Goods that go back on the shelf were not consumed: their cost leaves the order again.
        cast(case
            when parcels.received_at is not null and parcels.disposition = 'restock'
                and {{ is_known('parcels.received_at') }}
                then round(
                    cast(order_lines.cogs_amount as double) * {{ ratio('parcels.quantity', 'order_lines.quantity') }}, 2
                )
            else 0
        end as decimal(18, 2)) as cogs_recovered_amount,

        -- attributes
        coalesce(parcels.reason_code, 'other') as reason_code,
        parcels.disposition,
        parcels.channel as return_channel,

        -- flags
        coalesce({{ is_known('parcels.received_at') }}, false) as is_received,

        -- times
        order_lines.ordered_date,
        {{ shop_day('parcels.requested_at') }} as requested_date,
        {{ shop_day('parcels.received_at') }} as received_date

    from parcels
    inner join order_lines on parcels.order_line_id = order_lines.order_line_id
    where
        {{ is_known('parcels.requested_at') }}
        and order_lines.ordered_date <= {{ as_of_date() }}

)

select * from final

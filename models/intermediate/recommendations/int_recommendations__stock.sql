with

inventory as (

    select
        variant_id,
        inventory_date,
        bool_or(is_in_stock) as is_in_stock
    from {{ ref('stg_inventory_daily') }}
    where
        not is_deleted
        and inventory_date <= {{ as_of_date() }}
    group by 1, 2

),

followed as (

    select
        *,
        lag(is_in_stock) over (partition by variant_id order by inventory_date asc nulls last) as was_in_stock
    from inventory

),

final as (

    select
        -- keys
        variant_id,
        inventory_date as valid_from,

        -- flags
        is_in_stock

    from followed
    where
        was_in_stock is null
        or is_in_stock <> was_in_stock

)

select * from final

with

products as (

    select * from {{ ref('stg_products') }} -- tombstones wanted: what was bought of them still tells of a taste

),

lines as (

    select
        variant_id,
        {{ ratio('sum(gross_amount)', 'sum(quantity)') }} as mean_price,
        bool_and(is_gift_insert) as is_only_given_away
    from {{ ref('int_orders__lines') }}
    where
        variant_id is not null
        and not is_deleted
        and quantity > 0
    group by 1

),

catalogue as (

    select count(*) as variants from products

),

-- A shop that delivers no catalogue is known by what it has sold; beside a catalogue, what is not in it is not on sale.
variants as (

    select
        variant_id,
        product_id,
        title,
        brand,
        category_l1,
        category_l2,
        category_l3,
        list_price,
        is_replenishable,
        expected_cycle_days,
        coalesce(is_gift_card, false) or is_deleted as is_withheld,
        launched_at,
        discontinued_at
    from products
    union all
    select
        lines.variant_id,
        cast(null as {{ string_type() }}) as product_id,
        cast(null as {{ string_type() }}) as title,
        cast(null as {{ string_type() }}) as brand,
        cast(null as {{ string_type() }}) as category_l1,
        cast(null as {{ string_type() }}) as category_l2,
        cast(null as {{ string_type() }}) as category_l3,
        cast(null as decimal(18, 2)) as list_price,
        cast(null as boolean) as is_replenishable,
        cast(null as integer) as expected_cycle_days,
        false as is_withheld,
        cast(null as date) as launched_at,
        cast(null as date) as discontinued_at
    from lines
    cross join catalogue
    where catalogue.variants = 0

),

final as (

    select
        -- keys
        variants.variant_id,
        coalesce(variants.product_id, variants.variant_id) as product_id,

        -- measures
        coalesce(cast(variants.list_price as double), lines.mean_price) as price,
        cast(variants.expected_cycle_days as double) as cycle_days,

        -- attributes
        variants.title,
        variants.brand,
        variants.category_l1,
        variants.category_l2,
        variants.category_l3,

        -- flags
        coalesce(variants.is_replenishable, false) as is_replenishable,
        variants.is_withheld
            or coalesce(lines.is_only_given_away, false)
            or coalesce(variants.category_l1 in ('{{ var("never_recommended_categories") | join("', '") }}'), false)
            as is_withheld,

        -- times
        variants.launched_at as launched_date,
        variants.discontinued_at as discontinued_date

    from variants
    left join lines on variants.variant_id = lines.variant_id

)

select * from final

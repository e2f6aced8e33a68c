with

product_costs as (

    select * from {{ ref('stg_product_costs') }}
    where not is_deleted

),

ordered_costs as (

    select
        variant_id,
        valid_from,
        coalesce(unit_cost, 0) as unit_cost,
        coalesce(handling_cost, 0) as handling_cost,
        row_number() over (partition by variant_id order by valid_from asc nulls last) as cost_number,
        lead(valid_from) over (partition by variant_id order by valid_from asc nulls last) as next_valid_from

    from product_costs

),

final as (

    select
        variant_id,

        -- measures
        cast(unit_cost + handling_cost as decimal(18, 2)) as unit_cost,

        -- times: the delivered valid_to is not trusted, since overlaps would count a line twice; the first known cost
        -- also serves the orders before it
        case when cost_number = 1 then cast('1900-01-01' as date) else valid_from end as valid_from,
        coalesce({{ add_days('next_valid_from', -1) }}, cast('9999-12-31' as date)) as valid_to

    from ordered_costs

)

select * from final

-- Staged orders = published orders + the shop's own tests.
with

staged as (

    select order_id
    from {{ ref('stg_orders') }}
    where not is_deleted and {{ shop_day('ordered_at') }} <= {{ as_of_date() }}

),

kept as (

    select order_id from {{ ref('fct_orders') }}
    union all
    select order_id from {{ ref('int_orders__valued') }}
    where is_test_order

)

select
    staged.order_id as staged_order_id,
    kept.order_id as kept_order_id

from staged
full outer join kept on staged.order_id = kept.order_id
where staged.order_id is null or kept.order_id is null

{#- A correction may name an order that is not there: the line leaves stg_order_lines, and no new row would replace its
    old one here. So every line with a newer version is taken out first; those that are still linked come in again. -#}
{%- set take_out_changed_lines -%}
{% raw %}{% if is_incremental() %}
delete from {{ this }}
where order_line_id in (
    select order_line_id from {{ ref('base_order_lines') }}
    where _version_rank = 1 and _batch_id > (select coalesce(max(_batch_id), '') from {{ this }})
)
{% endif %}{% endraw %}
{%- endset -%}
{{ config(
    materialized=grows_by_delivery(),
    incremental_strategy='delete+insert',
    unique_key='order_line_id',
    pre_hook=take_out_changed_lines,
) }}
-- depends_on: {{ ref('base_order_lines') }}

with

-- Deleted lines and lines of deleted orders stay as rows with a flag: a row that vanished could not be taken out of a
-- table that grows by delivery.
order_lines as (

    select * from {{ ref('stg_order_lines') }} -- tombstones wanted

),

orders as (

    select
        *,
        {{ shop_day('ordered_at') }} as ordered_date
    from {{ ref('stg_orders') }} -- tombstones wanted

),

products as (

    select * from {{ ref('stg_products') }} -- tombstones wanted

),

product_costs as (

    select * from {{ ref('int_orders__product_costs') }}

),

-- A cost that was deleted gives its place to an older one, so the newest batch is taken over all costs of a variant.
cost_batches as (

    select
        variant_id,
        max(_batch_id) as _batch_id
    from {{ ref('stg_product_costs') }} -- tombstones wanted
    group by 1

),

final as (

    select
        -- keys
        order_lines.order_line_id,
        order_lines.order_id,
        order_lines.variant_id,

        -- measures, in the shop's currency
        order_lines.quantity,
        {{ in_shop_currency('order_lines.quantity * order_lines.unit_price', order_rate('orders')) }} as gross_amount,
        {{ in_shop_currency('coalesce(order_lines.discount_amount, 0)', order_rate('orders')) }} as discount_amount,
        {{ in_shop_currency('coalesce(order_lines.tax_amount, 0)', order_rate('orders')) }} as tax_amount,
        cast(coalesce(order_lines.quantity * product_costs.unit_cost, 0) as decimal(18, 2)) as cogs_amount,

        -- flags
        product_costs.variant_id is not null as is_cost_known,
        coalesce(products.is_gift_card and not products.is_deleted, false) as is_gift_card,
        coalesce(order_lines.is_gift_insert, false) as is_gift_insert,
        order_lines.is_deleted or orders.is_deleted as is_deleted,

        -- times
        orders.ordered_date,

        greatest(
            order_lines._batch_id,
            orders._batch_id,
            coalesce(products._batch_id, ''),
            coalesce(cost_batches._batch_id, '')
        ) as _batch_id

    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    left join products on order_lines.variant_id = products.variant_id
    left join cost_batches on order_lines.variant_id = cost_batches.variant_id
    left join product_costs
        on order_lines.variant_id = product_costs.variant_id
        and orders.ordered_date between product_costs.valid_from and product_costs.valid_to
    {% if is_incremental() %}
    where greatest(
        order_lines._batch_id,
        orders._batch_id,
        coalesce(products._batch_id, ''),
        coalesce(cost_batches._batch_id, '')
    ) > (select coalesce(max(_batch_id), '') from {{ this }})
    {% endif %}

)

select * from final

{{ config(materialized='view') }}

{{ staged('order_lines', ref('base_order_lines'), {
    'orders': ref('stg_orders'),
}) }}

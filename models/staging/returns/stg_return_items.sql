{{ config(materialized='view') }}

{{ staged('return_items', ref('base_return_items'), {
    'returns': ref('stg_returns'),
    'order_lines': ref('stg_order_lines'),
}) }}

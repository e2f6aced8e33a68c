{{ config(materialized='view') }}

{{ staged('inventory_daily', ref('base_inventory_daily'), {
    'products': ref('stg_products'),
}) }}

{{ config(materialized='view') }}

{{ staged('marketplace_metrics', ref('base_marketplace_metrics'), {
    'products': ref('stg_products'),
}) }}

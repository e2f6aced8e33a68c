{{ config(materialized='view') }}

{{ staged('refunds', ref('base_refunds'), {
    'orders': ref('stg_orders'),
}) }}

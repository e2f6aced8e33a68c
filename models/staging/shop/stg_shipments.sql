{{ config(materialized='view') }}

{{ staged('shipments', ref('base_shipments'), {
    'orders': ref('stg_orders'),
}) }}

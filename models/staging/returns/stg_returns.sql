{{ config(materialized='view') }}

{{ staged('returns', ref('base_returns'), {
    'orders': ref('stg_orders'),
}) }}

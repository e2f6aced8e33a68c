{{ config(materialized='view') }}

{{ staged('support_tickets', ref('base_support_tickets'), {
    'orders': ref('stg_orders'),
}) }}

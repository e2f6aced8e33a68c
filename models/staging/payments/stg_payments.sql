{{ config(materialized='view') }}

{{ staged('payments', ref('base_payments'), {
    'orders': ref('stg_orders'),
    'membership_terms': ref('stg_membership_terms'),
}) }}

{{ config(materialized='view') }}

{{ staged('reviews', ref('base_reviews'), {
    'products': ref('stg_products'),
}) }}

{{ config(materialized='view') }}

{{ staged('wishlist_items', ref('base_wishlist_items'), {
    'products': ref('stg_products'),
}) }}

{{ config(materialized='view') }}

{{ staged('product_relations', ref('base_product_relations'), {
    'products': ref('stg_products'),
}) }}

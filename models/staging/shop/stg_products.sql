{{ config(materialized='view') }}

{{ staged('products', ref('base_products')) }}

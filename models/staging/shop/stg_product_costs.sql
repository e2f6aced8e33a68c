{{ config(materialized='view') }}

{{ staged('product_costs', ref('base_product_costs')) }}

{{ config(materialized='view') }}

{{ staged('orders', ref('base_orders')) }}

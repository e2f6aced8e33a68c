{{ config(materialized='view') }}

{{ staged('customers', ref('base_customers')) }}

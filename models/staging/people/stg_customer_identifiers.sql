{{ config(materialized='view') }}

{{ staged('customer_identifiers', ref('base_customer_identifiers')) }}

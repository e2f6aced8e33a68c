{{ config(materialized='view') }}

{{ staged('campaigns', ref('base_campaigns')) }}

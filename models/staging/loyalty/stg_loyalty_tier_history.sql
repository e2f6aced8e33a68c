{{ config(materialized='view') }}

{{ staged('loyalty_tier_history', ref('base_loyalty_tier_history')) }}

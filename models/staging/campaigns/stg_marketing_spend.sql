{{ config(materialized='view') }}

{{ staged('marketing_spend', ref('base_marketing_spend')) }}

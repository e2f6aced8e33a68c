{{ config(materialized='view') }}

{{ staged('consents', ref('base_consents')) }}

{{ config(materialized='view') }}

{{ staged('privacy_requests', ref('base_privacy_requests')) }}

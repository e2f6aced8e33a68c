{{ config(materialized='view') }}

{{ staged('referrals', ref('base_referrals')) }}

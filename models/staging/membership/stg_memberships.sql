{{ config(materialized='view') }}

{{ staged('memberships', ref('base_memberships')) }}

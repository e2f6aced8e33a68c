{{ config(materialized='view') }}

{{ staged('community_events', ref('base_community_events')) }}

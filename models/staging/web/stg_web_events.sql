{{ config(materialized='view') }}

{{ staged('web_events', ref('base_web_events')) }}

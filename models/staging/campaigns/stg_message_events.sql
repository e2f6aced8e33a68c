{{ config(materialized='view') }}

{{ staged('message_events', ref('base_message_events'), {
    'campaigns': ref('stg_campaigns'),
}) }}

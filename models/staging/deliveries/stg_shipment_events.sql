{{ config(materialized='view') }}

{{ staged('shipment_events', ref('base_shipment_events'), {
    'shipments': ref('stg_shipments'),
}) }}

{{ config(materialized='view') }}

{{ staged('experiments', ref('base_experiments'), {
    'campaigns': ref('stg_campaigns'),
}) }}

{{ config(materialized='view') }}

{{ staged('experiments', ref('base_experiments')) }}

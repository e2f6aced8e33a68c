{{ config(materialized='view') }}

{{ staged('loyalty_ledger', ref('base_loyalty_ledger')) }}

{{ config(materialized=grows_by_delivery(), incremental_strategy='delete+insert', unique_key='_key') }}

-- depends_on: {{ source('landing', 'customer_identifiers') }}
{{ delivered_and_judged('customer_identifiers') }}

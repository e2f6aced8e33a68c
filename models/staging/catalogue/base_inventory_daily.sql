{{ config(materialized=grows_by_delivery(), incremental_strategy='delete+insert', unique_key='_key') }}

-- depends_on: {{ source('landing', 'inventory_daily') }}
{{ delivered_and_judged('inventory_daily') }}

{{ config(materialized=grows_by_delivery(), incremental_strategy='delete+insert', unique_key='_key') }}

-- depends_on: {{ source('landing', 'marketplace_metrics') }}
{{ delivered_and_judged('marketplace_metrics') }}

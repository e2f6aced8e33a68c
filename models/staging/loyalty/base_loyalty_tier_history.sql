{{ config(materialized=grows_by_delivery(), incremental_strategy='delete+insert', unique_key='_key') }}

-- depends_on: {{ source('landing', 'loyalty_tier_history') }}
{{ delivered_and_judged('loyalty_tier_history') }}

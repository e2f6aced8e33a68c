{{ config(materialized=grows_by_delivery(), incremental_strategy='delete+insert', unique_key='_key') }}

-- depends_on: {{ source('landing', 'privacy_requests') }}
{{ delivered_and_judged('privacy_requests') }}

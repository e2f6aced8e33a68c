{{ config(materialized=grows_by_delivery(), incremental_strategy='delete+insert', unique_key='_key') }}

-- depends_on: {{ source('landing', 'support_tickets') }}
{{ delivered_and_judged('support_tickets') }}

{{ config(materialized=grows_by_delivery(), incremental_strategy='delete+insert', unique_key='_key') }}

-- depends_on: {{ source('landing', 'membership_benefit_usage') }}
{{ delivered_and_judged('membership_benefit_usage') }}

{{ config(materialized=grows_by_delivery(), incremental_strategy='delete+insert', unique_key='_key') }}

-- depends_on: {{ source('landing', 'experiment_assignments') }}
{{ delivered_and_judged('experiment_assignments') }}

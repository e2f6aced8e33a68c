{{ config(materialized=grows_by_delivery(), incremental_strategy='delete+insert', unique_key='_key') }}

-- depends_on: {{ source('landing', 'product_relations') }}
{{ delivered_and_judged('product_relations') }}

{{ config(materialized=grows_by_delivery(), incremental_strategy='delete+insert', unique_key='_key') }}

-- depends_on: {{ source('landing', 'wishlist_items') }}
{{ delivered_and_judged('wishlist_items') }}

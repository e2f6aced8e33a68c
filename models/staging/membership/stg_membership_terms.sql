{{ config(materialized='view') }}

{{ staged('membership_terms', ref('base_membership_terms'), {
    'memberships': ref('stg_memberships'),
}) }}

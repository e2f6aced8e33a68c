{{ config(materialized='view') }}

{{ staged('membership_benefit_usage', ref('base_membership_benefit_usage'), {
    'memberships': ref('stg_memberships'),
}) }}

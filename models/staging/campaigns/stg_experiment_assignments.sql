{{ config(materialized='view') }}

{{ staged('experiment_assignments', ref('base_experiment_assignments'), {
    'experiments': ref('stg_experiments'),
}) }}

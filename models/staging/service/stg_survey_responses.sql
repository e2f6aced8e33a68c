{{ config(materialized='view') }}

{{ staged('survey_responses', ref('base_survey_responses')) }}

{{ config(materialized='view') }}

with

fits as (

    select * from {{ source('scores', 'model_fits') }}

)

select * from fits

{#- The closed cells of each night, kept to be compared with those of the next. A night that is run again replaces its
    own; a look back at a day before the newest night leaves no trace. -#}
{{ config(
    materialized=grows_by_delivery(),
    incremental_strategy='delete+insert',
    unique_key='as_of_date',
    full_refresh=false
) }}

with

cells as (

    select * from {{ ref('int_cohorts__retention_cells') }}
    where
        segment_type = 'all'
        and retention_type = 'bounded'
        and age_unit = 'month'
        and is_mature

),

-- What had been delivered by then: batches sort by arrival.
delivered_orders as (

    select max(_batch_id) as newest_order_batch_id from {{ ref('base_orders') }}

),

delivered_refunds as (

    select max(_batch_id) as newest_refund_batch_id from {{ ref('base_refunds') }}

),

final as (

    select
        -- keys
        {{ as_of_date() }} as as_of_date,
        cells.cohort_month,
        cells.age as age_month,

        -- measures
        cells.cohort_size,
        cells.retained_so_far as retained_customers,

        -- attributes
        delivered_orders.newest_order_batch_id,
        coalesce(delivered_refunds.newest_refund_batch_id, '') as newest_refund_batch_id,

        -- times
        cells.window_end_date

    from cells
    cross join delivered_orders
    cross join delivered_refunds
    {% if is_incremental() -%}
    where {{ as_of_date() }} >= (select coalesce(max(kept.as_of_date), {{ as_of_date() }}) from {{ this }} as kept)
    {%- endif %}

)

select * from final

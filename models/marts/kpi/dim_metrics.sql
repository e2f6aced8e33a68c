with

metrics as (

    select * from {{ ref('metrics') }}

),

final as (

    select
        -- keys
        metric,
        variant,

        -- attributes
        definition,
        used_by,
        table_name,
        column_name,
        reason,

        -- flags
        is_default

    from metrics

)

select * from final

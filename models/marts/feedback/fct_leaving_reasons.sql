with

spells as (

    select * from {{ ref('int_membership__spells') }}
    where not is_running

),

counted as (

    select
        {{ month_of('ended_date') }} as ended_month,
        program,
        coalesce(cancel_reason, 'unknown') as cancel_reason,
        cast(count(*) as bigint) as leavers,
        cast(count(*) filter (where end_type = 'voluntary') as bigint) as voluntary_leavers,
        cast(percentile_cont(0.5) within group (order by tenure_days) as double) as tenure_days_p50

    from spells
    group by 1, 2, 3

),

compared as (

    select
        *,
        cast(sum(leavers) over (partition by ended_month, program) as bigint) as all_leavers,
        {{ end_of_month('ended_month') }} <= {{ as_of_date() }} as is_mature
    from counted

),

final as (

    select
        -- keys
        ended_month,
        program,
        cancel_reason,

        -- measures
        leavers,
        voluntary_leavers,
        all_leavers,
        {% for name, share in [
            ('reason_share', ratio('leavers', 'all_leavers')),
            ('reason_share_low', wilson_low('leavers', 'all_leavers')),
            ('reason_share_high', wilson_high('leavers', 'all_leavers')),
        ] -%}
        case when is_mature then {{ share }} end as {{ name }},
        {% endfor -%}
        tenure_days_p50,

        -- flags
        is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from compared

)

select * from final

{#- A panel is named by the age that all of its cohorts have reached; a bracket's age is its first day. -#}
{%- set panels = [
    ('month', 3), ('month', 6), ('month', 12), ('month', 24),
    ('30_days', 3), ('30_days', 6), ('30_days', 12), ('30_days', 24),
    ('days', 31), ('days', 91), ('days', 181),
] -%}

with

-- Cohorts that may hold old customers would pull every curve up.
cells as (

    select * from {{ ref('int_cohorts__retention_cells') }}
    where not is_left_truncated

),

panels as (

    {% for age_unit, panel_age in panels -%}
    select '{{ age_unit }}' as age_unit, {{ panel_age }} as panel_age
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

panel_members as (

    select
        cells.cohort_month,
        cells.segment_type,
        cells.segment,
        cells.retention_type,
        panels.age_unit,
        panels.panel_age
    from cells
    inner join panels on cells.age_unit = panels.age_unit and cells.age = panels.panel_age
    where cells.is_mature

),

weighted as (

    select
        retention_type,
        age_unit,
        age,
        age_label,
        'weighted' as method,
        -- Whoever is mature at this age counts at this age: each age is its own panel.
        age as panel_age,
        segment_type,
        segment,
        cast(count(*) filter (where is_mature) as bigint) as cohort_count,
        cast(sum(case when is_mature then cohort_size end) as bigint) as eligible_customers,
        cast(sum(case when is_mature then retained_so_far end) as bigint) as retained_customers
    from cells
    group by 1, 2, 3, 4, 5, 6, 7, 8

),

fixed_panel as (

    select
        cells.retention_type,
        cells.age_unit,
        cells.age,
        cells.age_label,
        'fixed_panel' as method,
        panel_members.panel_age,
        cells.segment_type,
        cells.segment,
        cast(count(*) as bigint) as cohort_count,
        cast(sum(cells.cohort_size) as bigint) as eligible_customers,
        cast(sum(cells.retained_so_far) as bigint) as retained_customers
    from cells
    inner join panel_members
        on cells.cohort_month = panel_members.cohort_month
        and cells.segment_type = panel_members.segment_type
        and cells.segment = panel_members.segment
        and cells.retention_type = panel_members.retention_type
        and cells.age_unit = panel_members.age_unit
        and cells.age <= panel_members.panel_age
    group by 1, 2, 3, 4, 5, 6, 7, 8

),

pooled as (

    select * from weighted
    union all
    select * from fixed_panel

),

final as (

    select
        -- keys
        segment_type,
        segment,
        retention_type,
        age_unit,
        age,
        method,
        panel_age,

        -- attributes
        age_label,

        -- measures
        cohort_count,
        eligible_customers,
        retained_customers,
        {{ ratio('retained_customers', 'eligible_customers') }} as retention_rate,
        {{ wilson_low('retained_customers', 'eligible_customers') }} as ci_low,
        {{ wilson_high('retained_customers', 'eligible_customers') }} as ci_high,

        -- flags
        cohort_count > 0 as is_mature,
        retention_type = 'rolling' as restates_backwards,

        -- times
        {{ as_of_date() }} as as_of_date

    from pooled

)

select * from final

with

assignments as (

    select * from {{ ref('stg_experiment_assignments') }}
    where
        not is_deleted
        and {{ is_known('assigned_at') }}

),

experiments as (

    select * from {{ ref('stg_experiments') }}
    where not is_deleted

),

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not is_erased

),

described as (

    select
        assignments.experiment_id,
        assignments.unit_id,
        assignments.arm,
        assignments.assigned_at,
        assignments.exposed_at,
        coalesce(assignments.is_holdout, false) as is_holdout,
        coalesce(experiments.unit_type, 'customer') as unit_type,
        experiments.min_window_days,
        identity_map.customer_id,
        coalesce(identity_map.is_test, false) as is_test

    from assignments
    left join experiments on assignments.experiment_id = experiments.experiment_id
    left join identity_map
        on assignments.unit_id = identity_map.source_customer_id
        and coalesce(experiments.unit_type, 'customer') = 'customer'

),

-- A person with two accounts may have been drawn twice. Drawn into one arm, the first draw counts; drawn into two, the
-- person belongs to neither.
ranked as (

    select
        *,
        row_number() over (
            partition by experiment_id, coalesce(customer_id, unit_id)
            order by assigned_at asc nulls last, unit_id asc nulls last
        ) as draw_number,
        cast(row_number() over (
            partition by experiment_id order by assigned_at asc nulls last, unit_id asc nulls last
        ) as bigint) as unit_number,
        min(arm) over (partition by experiment_id, coalesce(customer_id, unit_id)) as first_arm,
        max(arm) over (partition by experiment_id, coalesce(customer_id, unit_id)) as last_arm

    from described
    where not is_test

),

final as (

    select
        -- keys
        experiment_id,
        -- A unit may be the name of a browser, or of an account that was erased: it is published as a number.
        unit_number,
        customer_id,

        -- attributes
        unit_type,
        arm,

        -- flags
        is_holdout,
        coalesce({{ is_known('exposed_at') }}, false) as is_exposed,
        draw_number = 1 and first_arm = last_arm as is_counted,
        first_arm <> last_arm as is_in_several_arms,
        coalesce(assigned_at + min_window_days * interval 1 day <= {{ end_of_night() }}, false) as is_mature,

        -- times
        assigned_at,
        case when {{ is_known('exposed_at') }} then exposed_at end as exposed_at,
        {{ shop_day('assigned_at') }} as assigned_date,
        {{ as_of_date() }} as as_of_date

    from ranked

)

select * from final

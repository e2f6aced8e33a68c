{#- What an experiment may be judged by: the column of a unit's outcome. The same is read of as many days before the draw. -#}
{%- set metrics = ['orders', 'purchase_rate', 'contribution_margin', 'clicks'] -%}
{#- Below this many units no interval is told: the normal theory behind it has not begun to hold. -#}
{%- set fewest_units = 30 -%}
{#- Of the normal, 97.5 % and 80 %: a true lift of that many standard errors is found four times in five. -#}
{%- set detectable = 2.801585218112968 -%}
{%- set window_days = 'units.min_window_days * interval 1 day' -%}

with

experiments as (

    select * from {{ ref('stg_experiments') }}
    where not is_deleted

),

assignments as (

    select * from {{ ref('fct_experiment_assignments') }}
    where
        is_counted
        -- Of draws alone nobody knows what was asked, nor for how long to look.
        and exists (select 1 from experiments)

),

orders as (

    select * from {{ ref('fct_orders') }}
    where is_sale and customer_id is not null

),

clicks as (

    select
        customer_id,
        first_clicked_at
    from {{ ref('fct_messages') }}
    where is_clicked and customer_id is not null

),

written_arms as (

    select
        experiment_id,
        {{ each_part('arms', ',') }} as written
    from experiments

),

planned_arms as (

    select
        experiment_id,
        trim(split_part(written, '=', 1)) as arm,
        try_cast(trim(split_part(written, '=', 2)) as double) as share
    from written_arms
    where exists (select 1 from assignments)

),

-- Everybody who was drawn, and not only who has been watched long enough: lost units are lost from the first day.
drawn_arms as (

    select
        experiment_id,
        arm,
        count(*) as units,
        bool_or(is_holdout) as is_holdout,
        bool_or(not is_mature) as has_open_windows
    from assignments
    group by 1, 2

),

arms as (

    select
        coalesce(planned_arms.experiment_id, drawn_arms.experiment_id) as experiment_id,
        coalesce(planned_arms.arm, drawn_arms.arm) as arm,
        coalesce(drawn_arms.units, 0) as units,
        coalesce(drawn_arms.is_holdout, false) as is_holdout,
        bool_or(coalesce(drawn_arms.has_open_windows, false)) over (
            partition by coalesce(planned_arms.experiment_id, drawn_arms.experiment_id)
        ) as has_open_windows,
        planned_arms.share / nullif(sum(planned_arms.share) over (
            partition by coalesce(planned_arms.experiment_id, drawn_arms.experiment_id)
        ), 0) as planned_share,
        sum(coalesce(drawn_arms.units, 0)) over (
            partition by coalesce(planned_arms.experiment_id, drawn_arms.experiment_id)
        ) as all_units
    from planned_arms
    full outer join drawn_arms
        on planned_arms.experiment_id = drawn_arms.experiment_id
        and planned_arms.arm = drawn_arms.arm

),

-- Chi-square of the numbers drawn against the planned shares: a sample ratio that chance does not explain.
chi_squares as (

    select
        experiment_id,
        cast(count(*) - 1 as integer) as degrees,
        bool_or(planned_share is null) as has_unplanned_arm,
        bool_or(planned_share is not null) as has_plan,
        sum(power(units - all_units * planned_share, 2) / nullif(all_units * planned_share, 0)) as chi_square
    from arms
    group by 1

),

ratios as (

    select
        experiment_id,
        case
            when not has_plan then null
            -- Units in an arm that nobody planned.
            when has_unplanned_arm then 0
            else {{ chi_square_tail('chi_square', 'degrees') }}
        end as srm_p
    from chi_squares

),

-- Compared with: who was held out, else the arm called control, else the first that is written.
controls as (

    select
        arms.experiment_id,
        min_by(
            arms.arm,
            case
                when arms.is_holdout then '1'
                when lower(arms.arm) = 'control' then '2'
                when arms.arm = trim(split_part(split_part(experiments.arms, ',', 1), '=', 1)) then '3'
                else '4'
            end || arms.arm
        ) as control_arm
    from arms
    left join experiments on arms.experiment_id = experiments.experiment_id
    group by 1

),

units as (

    select
        assignments.experiment_id,
        assignments.unit_number,
        assignments.arm,
        assignments.customer_id,
        assignments.assigned_at,
        experiments.min_window_days
    from assignments
    inner join experiments on assignments.experiment_id = experiments.experiment_id
    where
        assignments.is_mature
        and assignments.customer_id is not null

),

unit_orders as (

    select
        units.experiment_id,
        units.unit_number,
        {%- for when, condition in {
            'after': 'orders.ordered_at >= units.assigned_at', 'before': 'orders.ordered_at < units.assigned_at'
        }.items() %}
        count(*) filter (where orders.is_valid_order and {{ condition }}) as orders_{{ when }},
        max(case when orders.is_valid_order and {{ condition }} then 1 else 0 end) as purchase_rate_{{ when }},
        sum(case when {{ condition }} then orders.contribution_margin_amount else 0 end)
            as contribution_margin_{{ when }}{{ ',' if not loop.last }}
        {%- endfor %}
    from units
    inner join orders
        on units.customer_id = orders.customer_id
        and orders.ordered_at >= units.assigned_at - {{ window_days }}
        and orders.ordered_at < units.assigned_at + {{ window_days }}
    group by 1, 2

),

unit_clicks as (

    select
        units.experiment_id,
        units.unit_number,
        count(*) filter (where clicks.first_clicked_at >= units.assigned_at) as clicks_after,
        count(*) filter (where clicks.first_clicked_at < units.assigned_at) as clicks_before
    from units
    inner join clicks
        on units.customer_id = clicks.customer_id
        and clicks.first_clicked_at >= units.assigned_at - {{ window_days }}
        and clicks.first_clicked_at < units.assigned_at + {{ window_days }}
    group by 1, 2

),

outcomes as (

    select
        units.experiment_id,
        units.arm,
        {%- for metric in metrics %}{% set outcome = 'unit_clicks' if metric == 'clicks' else 'unit_orders' %}
        cast(coalesce({{ outcome }}.{{ metric }}_after, 0) as double) as {{ metric }}_y,
        cast(coalesce({{ outcome }}.{{ metric }}_before, 0) as double) as {{ metric }}_x{{ ',' if not loop.last }}
        {%- endfor %}
    from units
    left join unit_orders
        on units.experiment_id = unit_orders.experiment_id
        and units.unit_number = unit_orders.unit_number
    left join unit_clicks
        on units.experiment_id = unit_clicks.experiment_id
        and units.unit_number = unit_clicks.unit_number

),

moments as (

    {% for metric in metrics -%}
    select
        experiment_id,
        arm,
        '{{ metric }}' as metric,
        cast(count(*) as double) as n,
        -- Sums of decimals are the same in any order of rows, and two arms alike differ by nothing.
        cast(sum(cast({{ metric }}_y as decimal(18, 2))) as double) / count(*) as mean_y,
        cast(sum(cast({{ metric }}_x as decimal(18, 2))) as double) / count(*) as mean_x,
        var_samp({{ metric }}_y) as var_y,
        var_samp({{ metric }}_x) as var_x,
        covar_samp({{ metric }}_x, {{ metric }}_y) as covariance
    from outcomes
    group by 1, 2
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- CUPED (Deng, Xu, Kohavi & Walker 2013): what the same days before the draw foretell is taken off. One slope for all
-- arms, from within them, so that the effect itself does not bend it.
slopes as (

    select
        experiment_id,
        metric,
        coalesce(sum((n - 1) * covariance) / nullif(sum((n - 1) * var_x), 0), 0) as theta
    from moments
    where n > 1
    group by 1, 2

),

adjusted as (

    select
        moments.*,
        slopes.theta,
        moments.mean_y - slopes.theta * moments.mean_x as adjusted_mean,
        moments.var_y - 2 * slopes.theta * moments.covariance + power(slopes.theta, 2) * moments.var_x as adjusted_var
    from moments
    left join slopes
        on moments.experiment_id = slopes.experiment_id
        and moments.metric = slopes.metric

),

every_arm as (

    select
        arms.experiment_id,
        arms.arm,
        arms.units,
        arms.planned_share,
        arms.has_open_windows,
        metric_names.metric,
        controls.control_arm,
        ratios.srm_p
    from arms
    cross join ({% for metric in metrics %}select '{{ metric }}' as metric{{ ' union all ' if not loop.last }}{% endfor %}) as metric_names
    inner join controls on arms.experiment_id = controls.experiment_id
    inner join ratios on arms.experiment_id = ratios.experiment_id

),

compared as (

    select
        every_arm.*,
        every_arm.arm = every_arm.control_arm as is_control,
        experiments.campaign_id,
        coalesce(treated.n, 0) as mature_units,
        treated.mean_y,
        treated.theta,
        treated.mean_y - control.mean_y as lift,
        control.mean_y as control_mean,
        treated.var_y / treated.n + control.var_y / control.n as squared_error,
        power(treated.var_y / treated.n + control.var_y / control.n, 2) / nullif(
            power(treated.var_y / treated.n, 2) / nullif(treated.n - 1, 0)
            + power(control.var_y / control.n, 2) / nullif(control.n - 1, 0), 0
        ) as degrees,
        treated.adjusted_mean - control.adjusted_mean as adjusted_lift,
        treated.adjusted_var / treated.n + control.adjusted_var / control.n as adjusted_squared_error,
        power(treated.adjusted_var / treated.n + control.adjusted_var / control.n, 2) / nullif(
            power(treated.adjusted_var / treated.n, 2) / nullif(treated.n - 1, 0)
            + power(control.adjusted_var / control.n, 2) / nullif(control.n - 1, 0), 0
        ) as adjusted_degrees,
        coalesce(treated.n >= {{ fewest_units }} and control.n >= {{ fewest_units }}, false) as is_enough,
        -- An experiment that never ends is read on whoever has been watched long enough.
        coalesce(experiments.end_at >= {{ end_of_night() }}, false)
        or (experiments.end_at is not null and every_arm.has_open_windows) as is_running,
        coalesce(lower(experiments.primary_metric) = every_arm.metric, false) as is_primary_metric

    from every_arm
    left join experiments on every_arm.experiment_id = experiments.experiment_id
    left join adjusted as treated
        on every_arm.experiment_id = treated.experiment_id
        and every_arm.arm = treated.arm
        and every_arm.metric = treated.metric
    left join adjusted as control
        on every_arm.experiment_id = control.experiment_id
        and every_arm.control_arm = control.arm
        and every_arm.metric = control.metric
        and every_arm.arm <> every_arm.control_arm

),

with_errors as (

    select
        *,
        {%- set told = 'is_enough and squared_error > 0' %}
        case when {{ told }} then {{ student_quantile('degrees') }} * sqrt(squared_error) end as half_width,
        case when {{ told }} then {{ student_two_sided('(lift / sqrt(squared_error))', 'degrees') }} end as p_value,
        case when is_enough and adjusted_squared_error > 0
            then {{ student_quantile('adjusted_degrees') }} * sqrt(adjusted_squared_error)
        end as adjusted_half_width,
        case when {{ told }} then {{ detectable }} * sqrt(squared_error) end as minimum_detectable_lift
    from compared

),

final as (

    select
        -- keys
        experiment_id,
        metric,
        arm,

        -- measures
        cast(units as bigint) as assigned_units,
        cast(mature_units as bigint) as mature_units,
        planned_share,
        mean_y as mean_value,
        case when not is_control then lift end as lift,
        case when not is_control then lift - half_width end as lift_low,
        case when not is_control then lift + half_width end as lift_high,
        case when not is_control then {{ ratio('lift', 'control_mean') }} end as relative_lift,
        case when not is_control then p_value end as p_value,
        theta as cuped_theta,
        case when not is_control then adjusted_lift end as cuped_lift,
        case when not is_control then adjusted_lift - adjusted_half_width end as cuped_lift_low,
        case when not is_control then adjusted_lift + adjusted_half_width end as cuped_lift_high,
        case when not is_control then minimum_detectable_lift end as minimum_detectable_lift,
        srm_p as sample_ratio_p_value,

        -- attributes
        campaign_id,
        control_arm,
        case
            when is_control then 'control'
            when srm_p < {{ var('experiment_ratio_alpha') }} then 'withheld'
            when is_running then 'running'
            when half_width is null then 'too_few'
            when lift - half_width > 0 then 'better'
            when lift + half_width < 0 then 'worse'
            else 'no_difference'
        end as conclusion,

        -- flags
        is_control,
        is_primary_metric,
        coalesce(srm_p < {{ var('experiment_ratio_alpha') }}, false) as has_sample_ratio_mismatch,

        -- times
        {{ as_of_date() }} as as_of_date

    from with_errors

)

select * from final

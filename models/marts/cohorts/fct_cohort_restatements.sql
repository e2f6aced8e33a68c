{#- Every night adds its own rows; a night that is run again replaces them. -#}
{{ config(
    materialized=grows_by_delivery(),
    incremental_strategy='append',
    full_refresh=false,
    on_schema_change='append_new_columns',
    pre_hook="{% if is_incremental() %}delete from {{ this }} where as_of_date = {{ as_of_date() }}{% endif %}"
) }}

with

kept_cells as (

    select * from {{ ref('int_cohorts__kept_cells') }}
    where as_of_date <= {{ as_of_date() }}

),

touched_orders as (

    select * from {{ ref('int_cohorts__touched_orders') }}

),

previous_build as (

    select max(as_of_date) as previous_as_of_date from kept_cells
    where
        as_of_date < {{ as_of_date() }}
        -- A look back at an old day kept no cells and restates nothing.
        and {{ as_of_date() }} in (select tonight.as_of_date from kept_cells as tonight)

),

old_cells as (

    select kept_cells.* from kept_cells
    inner join previous_build on kept_cells.as_of_date = previous_build.previous_as_of_date

),

-- Only cells that were closed the night before: an open one grows every night, and that is no restatement.
new_cells as (

    select kept_cells.* from kept_cells
    inner join previous_build on kept_cells.window_end_date <= previous_build.previous_as_of_date
    where kept_cells.as_of_date = {{ as_of_date() }}

),

changed_cells as (

    select
        coalesce(old_cells.cohort_month, new_cells.cohort_month) as cohort_month,
        coalesce(old_cells.age_month, new_cells.age_month) as age_month,
        coalesce(old_cells.cohort_size, 0) as old_cohort_size,
        coalesce(new_cells.cohort_size, 0) as new_cohort_size,
        coalesce(old_cells.retained_customers, 0) as old_retained_customers,
        coalesce(new_cells.retained_customers, 0) as new_retained_customers

    from old_cells
    full outer join new_cells
        on old_cells.cohort_month = new_cells.cohort_month
        and old_cells.age_month = new_cells.age_month
    where
        old_cells.cohort_size is distinct from new_cells.cohort_size
        or old_cells.retained_customers is distinct from new_cells.retained_customers

),

-- The months in which each touched person bought, as seen then and as seen now.
months_of_people as (

    select
        previous_person_id as person_id,
        -1 as side,
        {{ month_of('ordered_date') }} as ordered_month,
        min(reasons) as reasons
    from touched_orders
    where was_valid_order
    group by 1, 2, 3

    union all

    select
        person_id,
        1 as side,
        {{ month_of('ordered_date') }} as ordered_month,
        min(reasons) as reasons
    from touched_orders
    where is_valid_order
    group by 1, 2, 3

),

aged as (

    select
        person_id,
        side,
        reasons,
        ordered_month,
        min(ordered_month) over (partition by person_id, side) as cohort_month
    from months_of_people

),

-- A person that was in a cell and still is counts for nothing.
moves as (

    select
        person_id,
        cohort_month,
        {{ months_between('cohort_month', 'ordered_month') }} as age_month,
        min(reasons) as reasons,
        sum(side) as customers
    from aged
    group by 1, 2, 3
    having sum(side) <> 0

),

explained as (

    select
        cohort_month,
        age_month,
        cast(sum(customers) as bigint) as customers
    from moves
    group by 1, 2

),

-- The size of a cohort is what its age 0 holds, and a changed size changes the rate of every age.
reasons_of_cells as (

    select
        changed_cells.cohort_month,
        changed_cells.age_month,
        moves.reasons
    from changed_cells
    inner join moves
        on changed_cells.cohort_month = moves.cohort_month
        and (moves.age_month = changed_cells.age_month or moves.age_month = 0)
    group by 1, 2, 3

),

words as (

    select
        cohort_month,
        age_month,
        {{ each_part('reasons', ', ') }} as reason
    from reasons_of_cells

),

-- What facts do not explain was corrected: dates, amounts, deletions, another rule.
unexplained as (

    select
        changed_cells.cohort_month,
        changed_cells.age_month
    from changed_cells
    left join explained
        on changed_cells.cohort_month = explained.cohort_month
        and changed_cells.age_month = explained.age_month
    left join explained as explained_sizes
        on changed_cells.cohort_month = explained_sizes.cohort_month
        and explained_sizes.age_month = 0
    where
        changed_cells.new_retained_customers - changed_cells.old_retained_customers <> coalesce(explained.customers, 0)
        or changed_cells.new_cohort_size - changed_cells.old_cohort_size <> coalesce(explained_sizes.customers, 0)

),

reasons as (

    select
        cohort_month,
        age_month,
        {{ sorted_words('reason') }} as reasons
    from (
        select cohort_month, age_month, reason from words
        union
        select cohort_month, age_month, 'correction' as reason from unexplained
    ) as all_reasons
    group by 1, 2

),

final as (

    select
        -- keys
        changed_cells.cohort_month,
        changed_cells.age_month,

        -- attributes
        reasons.reasons,

        -- measures
        changed_cells.old_cohort_size,
        changed_cells.new_cohort_size,
        changed_cells.old_retained_customers,
        changed_cells.new_retained_customers,
        coalesce(explained.customers, 0) as explained_customers,
        {{ ratio('changed_cells.old_retained_customers', 'changed_cells.old_cohort_size') }} as old_retention_rate,
        {{ ratio('changed_cells.new_retained_customers', 'changed_cells.new_cohort_size') }} as new_retention_rate,

        -- times
        previous_build.previous_as_of_date,
        {{ as_of_date() }} as as_of_date

    from changed_cells
    cross join previous_build
    left join reasons
        on changed_cells.cohort_month = reasons.cohort_month
        and changed_cells.age_month = reasons.age_month
    left join explained
        on changed_cells.cohort_month = explained.cohort_month
        and changed_cells.age_month = explained.age_month

)

select * from final

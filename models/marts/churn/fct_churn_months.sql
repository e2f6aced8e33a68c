with

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

data_window as (

    select * from {{ ref('int_purchases__data_window') }}

),

months as (

    select distinct
        ordered_month as month_start,
        last_day(ordered_month) as month_end
    from occasions

),

stretches as (

    select
        customer_id,
        ordered_date,
        lead(ordered_date) over (partition by customer_id order by ordered_date asc nulls last) as next_ordered_date
    from occasions

),

-- A stretch runs from one occasion to the next. The customer is active on the days up to lapse_days after its start.
active_stretches as (

    select
        *,
        {{ add_days('ordered_date', var('lapse_days')) }} as last_active_date
    from stretches

),

at_month_start as (

    select
        months.month_start,
        months.month_end,
        'lapsed_fixed' as churn_definition,
        cast(count(*) as bigint) as customers_at_start,
        cast(count(*) filter (
            where active_stretches.last_active_date < months.month_end
            and (
                active_stretches.next_ordered_date is null
                or active_stretches.next_ordered_date > active_stretches.last_active_date
            )
        ) as bigint) as churned_customers,
        months.month_end <= {{ as_of_date() }} as is_mature

    from months
    inner join active_stretches
        on active_stretches.ordered_date < months.month_start
        and active_stretches.last_active_date >= months.month_start
        and (
            active_stretches.next_ordered_date is null
            or active_stretches.next_ordered_date >= months.month_start
        )
    group by 1, 2

),

-- The label of the score, counted: active at the start of the month, and no order in the days of the horizon.
no_order as (

    select
        months.month_start,
        months.month_end,
        'no_order_{{ var("churn_horizon_days") }}d' as churn_definition,
        cast(count(*) as bigint) as customers_at_start,
        cast(count(*) filter (
            where active_stretches.next_ordered_date is null
            or active_stretches.next_ordered_date >= {{ add_days('months.month_start', var('churn_horizon_days')) }}
        ) as bigint) as churned_customers,
        {{ add_days("months.month_start", var("churn_horizon_days") - 1) }} <= {{ as_of_date() }} as is_mature

    from months
    inner join active_stretches
        on active_stretches.ordered_date < months.month_start
        and active_stretches.last_active_date >= months.month_start
        and (
            active_stretches.next_ordered_date is null
            or active_stretches.next_ordered_date >= months.month_start
        )
    group by 1, 2

),

both_definitions as (

    select * from at_month_start
    union all
    select * from no_order

),

final as (

    select
        -- keys
        both_definitions.month_start,
        both_definitions.churn_definition,

        -- measures
        both_definitions.customers_at_start,
        case when both_definitions.is_mature then both_definitions.churned_customers end as churned_customers,
        case when both_definitions.is_mature
            then {{ ratio('both_definitions.churned_customers', 'both_definitions.customers_at_start') }}
        end as churn_rate,

        -- flags
        both_definitions.is_mature,
        both_definitions.month_start < data_window.first_untruncated_date as is_left_truncated,

        -- times
        {{ as_of_date() }} as as_of_date

    from both_definitions
    cross join data_window

)

select * from final

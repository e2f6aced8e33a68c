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

-- Who was active when the month began: the only ones who can churn in it.
counted as (

    select
        months.month_start,
        months.month_end,
        cast(count(*) as bigint) as customers_at_start,
        cast(count(*) filter (
            where active_stretches.last_active_date < months.month_end
            and (
                active_stretches.next_ordered_date is null
                or active_stretches.next_ordered_date > active_stretches.last_active_date
            )
        ) as bigint) as lapsed_customers,
        -- the label of the score, counted
        cast(count(*) filter (
            where active_stretches.next_ordered_date is null
            or active_stretches.next_ordered_date >= {{ add_days('months.month_start', var('churn_horizon_days')) }}
        ) as bigint) as customers_without_order

    from months
    inner join active_stretches
        on months.month_start > active_stretches.ordered_date
        and months.month_start <= active_stretches.last_active_date
        and (
            active_stretches.next_ordered_date is null
            or months.month_start <= active_stretches.next_ordered_date
        )
    group by 1, 2

),

both_definitions as (

    select
        month_start,
        'lapsed_fixed' as churn_definition,
        customers_at_start,
        lapsed_customers as churned_customers,
        month_end <= {{ as_of_date() }} as is_mature
    from counted
    union all
    select
        month_start,
        'no_order_{{ var("churn_horizon_days") }}d' as churn_definition,
        customers_at_start,
        customers_without_order as churned_customers,
        {{ add_days("month_start", var("churn_horizon_days") - 1) }} <= {{ as_of_date() }} as is_mature
    from counted

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

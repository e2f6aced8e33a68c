{#- Months that a stretch between two orders can fill before the customer has lapsed, and one more to see it. -#}
{%- set months_until_lapsed = (var('lapse_days') / 28) | round(0, 'ceil') | int + 2 -%}
{%- set months_of_history = var('lifecycle_history_months') + 2 -%}

with

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

vip_margin as (

    select * from {{ ref('int_lifecycle__vip_margin') }}

),

months as (

    select n from {{ numbers(months_until_lapsed) }} as numbers

),

stretches as (

    select
        *,
        lead(ordered_date) over customer_days as next_ordered_date,
        sum(contribution_margin_amount) over (
            partition by customer_id order by ordered_date asc nulls last
            rows between unbounded preceding and current row
        ) as margin_so_far

    from occasions
    window customer_days as (partition by customer_id order by ordered_date asc nulls last)

),

-- Stretches that end before the kept months are left out before they are multiplied.
kept_stretches as (

    select * from stretches
    where ordered_date > {{ add_months(as_of_date(), '-' ~ (months_of_history + months_until_lapsed)) }}

),

month_ends as (

    select
        kept_stretches.*,
        last_day({{ add_months('kept_stretches.ordered_month', 'months.n') }}) as month_end

    from kept_stretches
    cross join months
    where
        last_day({{ add_months('kept_stretches.ordered_month', 'months.n') }}) <= {{ as_of_date() }}
        and (
            kept_stretches.next_ordered_date is null
            or last_day({{ add_months('kept_stretches.ordered_month', 'months.n') }}) < kept_stretches.next_ordered_date
        )

),

final as (

    select
        -- keys
        month_ends.customer_id,
        month_ends.month_end,

        -- attributes
        {{ lifecycle_stage(
            days_between('month_ends.ordered_date', 'month_ends.month_end'),
            days_between('month_ends.first_ordered_date', 'month_ends.month_end'),
            'month_ends.days_since_previous', 'month_ends.occasion_number', 'month_ends.margin_so_far',
            'vip_margin.vip_margin_amount') }} as lifecycle_stage

    from month_ends
    cross join vip_margin
    -- After a month end at which the customer had lapsed, nothing changes until the next order.
    where
        {{ days_between('month_ends.ordered_date', 'month_ends.month_end') }} <= {{ var('lapse_days') }} + 31
        and month_ends.month_end > {{ add_months(as_of_date(), '-' ~ months_of_history) }}

)

select * from final

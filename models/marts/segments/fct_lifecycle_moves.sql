with

month_ends as (

    select * from {{ ref('int_lifecycle__month_ends') }}

),

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

margins as (

    select
        customer_id,
        ordered_month,
        sum(contribution_margin_amount) as contribution_margin_amount
    from occasions
    group by 1, 2

),

steps as (

    select
        customer_id,
        month_end,
        {{ month_of('month_end') }} as month_start,
        lifecycle_stage as to_stage,
        lag(lifecycle_stage) over customer_months as previous_stage,
        lag(month_end) over customer_months as previous_month_end
    from month_ends
    window customer_months as (partition by customer_id order by month_end asc nulls last)

),

moves as (

    select
        steps.month_start,
        steps.month_end,
        -- No row at the month end before: not yet a customer, or lapsed long enough to be quiet.
        case
            when customers.first_ordered_date >= steps.month_start then 'prospect'
            when steps.previous_month_end = {{ add_days('steps.month_start', -1) }} then steps.previous_stage
            else 'lapsed'
        end as from_stage,
        steps.to_stage,
        cast(count(*) as bigint) as customers,
        {{ money_sum('margins.contribution_margin_amount') }} as contribution_margin_amount

    from steps
    inner join customers on steps.customer_id = customers.customer_id
    left join margins
        on steps.customer_id = margins.customer_id
        and steps.month_start = margins.ordered_month
    -- The first months of history only tell where the later ones came from.
    where steps.month_start > {{ add_months(month_of(as_of_date()), '-' ~ var('lifecycle_history_months')) }}
    group by 1, 2, 3, 4

),

months as (

    select distinct month_start, month_end from moves

),

known_customers as (

    select
        months.month_start,
        months.month_end,
        cast(count(*) as bigint) as customers
    from months
    inner join customers on customers.first_ordered_date <= months.month_end
    group by 1, 2

),

moved_customers as (

    select
        month_start,
        cast(sum(customers) as bigint) as customers
    from moves
    group by 1

),

-- Those who stayed lapsed have no row of their own: they are the known customers who are not in a row.
stayed_lapsed as (

    select
        known_customers.month_start,
        known_customers.month_end,
        'lapsed' as from_stage,
        'lapsed' as to_stage,
        known_customers.customers - moved_customers.customers as customers,
        cast(0 as decimal(18, 2)) as contribution_margin_amount
    from known_customers
    inner join moved_customers on known_customers.month_start = moved_customers.month_start

),

final as (

    select
        -- keys
        month_start,
        from_stage,
        to_stage,

        -- measures
        cast(sum(customers) as bigint) as customers,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- times
        {{ as_of_date() }} as as_of_date

    from (
        select * from moves
        union all
        select * from stayed_lapsed
        where customers > 0
    ) as all_moves
    group by 1, 2, 3

)

select * from final

{%- set breakdowns = [('all', "'all'"), ('category', 'category'), ('carrier', 'carrier')] -%}

with

drivers as (

    select * from {{ ref('int_service__order_drivers') }}

),

tickets as (

    select
        fct_support_tickets.*,
        {{ month_of('fct_support_tickets.opened_date') }} as opened_month,
        coalesce(drivers.category, 'no_order') as category,
        coalesce(drivers.carrier, 'no_order') as carrier
    from {{ ref('fct_support_tickets') }} as fct_support_tickets
    left join drivers on fct_support_tickets.order_id = drivers.order_id

),

-- Months without a ticket before the first one are months without tickets delivered.
first_ticket as (

    select min(opened_month) as first_opened_month from tickets

),

orders_per_month as (

    select
        ordered_month,
        category,
        carrier,
        cast(count(*) as bigint) as orders
    from drivers
    where is_counted_order
    group by 1, 2, 3

),

ticket_counts as (

    {% for breakdown, value in breakdowns -%}
    {% set is_last_breakdown = loop.last -%}
    {% for reason in ['reason_code', "'all'"] -%}
    select
        opened_month,
        {{ reason }} as reason_code,
        '{{ breakdown }}' as breakdown,
        {{ value }} as breakdown_value,
        cast(count(*) as bigint) as tickets,
        cast(count(*) filter (where is_compensated) as bigint) as compensated_tickets,
        {{ money_sum('compensation_amount') }} as compensation_amount
    from tickets
    group by 1, 2, 3, 4
    {{ 'union all' if not (is_last_breakdown and loop.last) }}

    {% endfor %}
    {%- endfor %}
),

order_counts as (

    {% for breakdown, value in breakdowns -%}
    select
        ordered_month,
        '{{ breakdown }}' as breakdown,
        {{ value }} as breakdown_value,
        cast(sum(orders) as bigint) as orders
    from orders_per_month
    group by 1, 2, 3
    {{ 'union all' if not loop.last }}

    {% endfor %}
),

cells as (

    select
        ordered_month as opened_month,
        breakdown,
        breakdown_value
    from order_counts
    cross join first_ticket
    where ordered_month >= first_opened_month

    union

    select
        opened_month,
        breakdown,
        breakdown_value
    from ticket_counts

),

reasons as (

    select distinct reason_code from ticket_counts

),

-- A reason that nobody had in a month is a zero and no gap.
counted as (

    select
        cells.opened_month,
        reasons.reason_code,
        cells.breakdown,
        cells.breakdown_value,
        coalesce(order_counts.orders, 0) as orders,
        coalesce(ticket_counts.tickets, 0) as tickets,
        coalesce(ticket_counts.compensated_tickets, 0) as compensated_tickets,
        cast(coalesce(ticket_counts.compensation_amount, 0) as decimal(18, 2)) as compensation_amount,
        {{ end_of_month('cells.opened_month') }} <= {{ as_of_date() }} as is_mature

    from cells
    cross join reasons
    left join order_counts
        on cells.opened_month = order_counts.ordered_month
        and cells.breakdown = order_counts.breakdown
        and cells.breakdown_value = order_counts.breakdown_value
    left join ticket_counts
        on cells.opened_month = ticket_counts.opened_month
        and cells.breakdown = ticket_counts.breakdown
        and cells.breakdown_value = ticket_counts.breakdown_value
        and reasons.reason_code = ticket_counts.reason_code

),

final as (

    select
        -- keys
        opened_month,
        reason_code,
        breakdown,
        breakdown_value,

        -- measures
        orders,
        tickets,
        case when is_mature then 1000 * {{ ratio('tickets', 'orders') }} end as contacts_per_1000_orders,
        case when is_mature then 1000 * {{ ratio(count_low('tickets'), 'orders') }} end as contacts_per_1000_orders_low,
        case when is_mature then 1000 * {{ ratio(count_high('tickets'), 'orders') }} end as contacts_per_1000_orders_high,
        compensated_tickets,
        compensation_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from counted

)

select * from final

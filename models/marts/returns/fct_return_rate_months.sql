with

units as (

    select * from {{ ref('int_returns__delivery_months') }}

),

delivered_per_month as (

    select
        delivery_month,
        cast(sum(delivered_units) as bigint) as delivered_units,
        {{ money_sum('delivered_amount') }} as delivered_amount
    from units
    group by 1

),

reasons as (

    select distinct reason_code from units
    where reason_code <> 'none'

),

returned_per_reason as (

    select
        delivery_month,
        reason_code,
        cast(sum(returned_units) as bigint) as returned_units,
        {{ money_sum('returned_amount') }} as returned_amount
    from units
    group by 1, 2

),

breakdowns as (

    select
        delivery_month,
        'all' as breakdown,
        'all' as breakdown_value,
        cast(sum(delivered_units) as bigint) as delivered_units,
        {{ money_sum('delivered_amount') }} as delivered_amount,
        cast(sum(returned_units) as bigint) as returned_units,
        {{ money_sum('returned_amount') }} as returned_amount
    from units
    group by 1

    union all

    select
        delivery_month,
        'category' as breakdown,
        category as breakdown_value,
        cast(sum(delivered_units) as bigint) as delivered_units,
        {{ money_sum('delivered_amount') }} as delivered_amount,
        cast(sum(returned_units) as bigint) as returned_units,
        {{ money_sum('returned_amount') }} as returned_amount
    from units
    group by 1, 3

    union all

    -- A reason has no deliveries of its own: its units are divided by all that was delivered, and a month in which nobody
    -- gave it is a zero.
    select
        delivered_per_month.delivery_month,
        'reason' as breakdown,
        reasons.reason_code as breakdown_value,
        delivered_per_month.delivered_units,
        delivered_per_month.delivered_amount,
        cast(coalesce(returned_per_reason.returned_units, 0) as bigint) as returned_units,
        cast(coalesce(returned_per_reason.returned_amount, 0) as decimal(18, 2)) as returned_amount
    from delivered_per_month
    cross join reasons
    left join returned_per_reason
        on delivered_per_month.delivery_month = returned_per_reason.delivery_month
        and reasons.reason_code = returned_per_reason.reason_code

),

dated as (

    select
        *,
        -- The window of what was delivered on the month's last day has closed.
        {{ add_days(add_months('delivery_month', 1), var('return_window_days') - 1) }} <= {{ as_of_date() }} as is_mature

    from breakdowns

),

final as (

    select
        -- keys
        delivery_month,
        breakdown,
        breakdown_value,

        -- measures
        delivered_units,
        case when is_mature then returned_units end as returned_units,
        case when is_mature then {{ ratio('returned_units', 'delivered_units') }} end as return_rate,
        delivered_amount,
        case when is_mature then returned_amount end as returned_amount,
        case when is_mature then {{ ratio('returned_amount', 'delivered_amount') }} end as return_value_rate,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

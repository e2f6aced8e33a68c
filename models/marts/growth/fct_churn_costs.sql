{%- set horizon_days = 365 -%}

with

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

orders as (

    select
        customer_id,
        ordered_date,
        contribution_margin_amount
    from {{ ref('int_orders__valued') }}
    where is_sale and customer_id is not null

),

-- The customers of a year ago and of tonight, by how often they had ordered.
customers_then_and_now as (

    {% for moment, day in [('then', add_days(as_of_date(), -horizon_days)), ('now', as_of_date())] -%}
    select
        '{{ moment }}' as moment,
        customer_id,
        case
            when count(*) = 1 then '1'
            when count(*) = 2 then '2'
            when count(*) <= 5 then '3-5'
            else '6+'
        end as order_count_band,
        {{ days_between('max(ordered_date)', day) }} as days_since_last
    from occasions
    where ordered_date <= {{ day }}
    group by customer_id
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

margins as (

    select
        customer_id,
        sum(contribution_margin_amount) as margin_amount
    from orders
    where ordered_date > {{ add_days(as_of_date(), -horizon_days) }}
    group by 1

),

-- What the year brought, from those who had lapsed when it began and from those who had not.
groups_of_then as (

    select
        customers_then_and_now.order_count_band,
        customers_then_and_now.days_since_last > {{ var('lapse_days') }} as is_lapsed,
        cast(count(*) as double) as customers,
        avg(cast(coalesce(margins.margin_amount, 0) as double)) as mean_margin,
        var_samp(cast(coalesce(margins.margin_amount, 0) as double)) as variance_of_margin
    from customers_then_and_now
    left join margins on customers_then_and_now.customer_id = margins.customer_id
    where customers_then_and_now.moment = 'then'
    group by 1, 2

),

lapsed_in_the_year as (

    select
        order_count_band,
        cast(count(*) as bigint) as newly_lapsed_customers
    from customers_then_and_now
    where
        moment = 'now'
        and days_since_last > {{ var('lapse_days') }}
        and days_since_last <= {{ var('lapse_days') + horizon_days }}
    group by 1

),

bands as (

    select
        active.order_count_band,
        active.customers as active_customers,
        active.mean_margin as active_mean_margin,
        lapsed.customers as lapsed_customers,
        lapsed.mean_margin as lapsed_mean_margin,
        active.mean_margin - lapsed.mean_margin as forgone_margin,
        active.variance_of_margin / active.customers + lapsed.variance_of_margin / lapsed.customers
            as forgone_margin_variance,
        coalesce(lapsed_in_the_year.newly_lapsed_customers, 0) as newly_lapsed_customers
    from groups_of_then as active
    inner join groups_of_then as lapsed on active.order_count_band = lapsed.order_count_band
    left join lapsed_in_the_year on active.order_count_band = lapsed_in_the_year.order_count_band
    where not active.is_lapsed and lapsed.is_lapsed

),

-- All customers together as the newly lapsed are mixed: most of them had ordered once.
with_all as (

    select * from bands

    union all

    select
        'all' as order_count_band,
        sum(active_customers) as active_customers,
        {{ ratio('sum(active_mean_margin * newly_lapsed_customers)', 'sum(newly_lapsed_customers)') }}
            as active_mean_margin,
        sum(lapsed_customers) as lapsed_customers,
        {{ ratio('sum(lapsed_mean_margin * newly_lapsed_customers)', 'sum(newly_lapsed_customers)') }}
            as lapsed_mean_margin,
        {{ ratio('sum(forgone_margin * newly_lapsed_customers)', 'sum(newly_lapsed_customers)') }} as forgone_margin,
        {{ ratio(
            'sum(forgone_margin_variance * newly_lapsed_customers * newly_lapsed_customers)',
            'sum(newly_lapsed_customers) * sum(newly_lapsed_customers)'
        ) }} as forgone_margin_variance,
        cast(sum(newly_lapsed_customers) as bigint) as newly_lapsed_customers
    from bands
    having count(*) > 0

),

final as (

    select
        -- keys
        order_count_band,

        -- measures
        cast(active_customers as bigint) as active_customers,
        cast(round(active_mean_margin, 2) as decimal(18, 2)) as active_margin_365d_amount,
        cast(lapsed_customers as bigint) as lapsed_customers,
        cast(round(lapsed_mean_margin, 2) as decimal(18, 2)) as lapsed_margin_365d_amount,
        cast(round(forgone_margin, 2) as decimal(18, 2)) as forgone_margin_365d_amount,
        -- 1.959963984540054 is the normal's 97.5 % point.
        cast(round(forgone_margin - 1.959963984540054 * sqrt(forgone_margin_variance), 2) as decimal(18, 2))
            as forgone_margin_365d_low_amount,
        cast(round(forgone_margin + 1.959963984540054 * sqrt(forgone_margin_variance), 2) as decimal(18, 2))
            as forgone_margin_365d_high_amount,
        newly_lapsed_customers,
        cast(round(forgone_margin * newly_lapsed_customers, 2) as decimal(18, 2)) as churn_cost_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- times
        {{ add_days(as_of_date(), -horizon_days) }} as followed_from_date,
        {{ as_of_date() }} as as_of_date

    from with_all

)

select * from final

{#- Ages of a customer, in years, that are looked for; those that the data can show decide. -#}
{%- set age_limit = 10 -%}

with

customers as (

    select * from {{ ref('int_purchases__customers') }}
    where not is_left_truncated

),

occasions as (

    select
        customer_id,
        cast(floor({{ ratio('age_days', 365) }}) as integer) as age_year
    from {{ ref('int_purchases__occasions') }}

),

orders as (

    select
        customer_id,
        ordered_date,
        contribution_margin_amount
    from {{ ref('int_orders__valued') }}
    where is_sale and customer_id is not null

),

acquisition_costs as (

    select
        sum(acquisition_cost_amount) as cost_amount,
        sum(new_customers) as new_customers
    from {{ ref('fct_acquisition_costs') }}
    where
        channel = 'all'
        and cost_per_new_customer_amount is not null
        and month_start > {{ add_months(as_of_date(), -13) }}

),

-- A year of age counts for those who have lived all of it.
lived as (

    select
        customers.customer_id,
        customers.first_ordered_date,
        ages.n as age_year
    from customers
    inner join {{ numbers(age_limit) }} as ages
        on customers.age_days >= 365 * (ages.n + 1) - 1

),

active as (

    select distinct
        customer_id,
        age_year
    from occasions

),

margins as (

    select
        lived.customer_id,
        lived.age_year,
        sum(orders.contribution_margin_amount) as margin_amount
    from lived
    inner join orders
        on lived.customer_id = orders.customer_id
        and orders.ordered_date >= {{ add_days('lived.first_ordered_date', '365 * lived.age_year') }}
        and orders.ordered_date < {{ add_days('lived.first_ordered_date', '365 * lived.age_year + 365') }}
    group by 1, 2

),

years as (

    select
        lived.age_year,
        cast(count(*) as bigint) as customers,
        cast(count(active.customer_id) as bigint) as active_customers,
        cast(count(active_before.customer_id) as bigint) as active_before_customers,
        sum(coalesce(margins.margin_amount, 0)) as margin_amount
    from lived
    left join active
        on lived.customer_id = active.customer_id
        and lived.age_year = active.age_year
    left join active as active_before
        on lived.customer_id = active_before.customer_id
        and lived.age_year = active_before.age_year + 1
    left join margins
        on lived.customer_id = margins.customer_id
        and lived.age_year = margins.age_year
    group by 1

),

-- Active of a year over active of the year before, among the same customers; and what an active customer brings.
curve as (

    select
        age_year,
        customers,
        case when age_year = 0 then 1 else {{ ratio('active_customers', 'active_before_customers') }} end
            as retention_rate,
        {{ ratio('margin_amount', 'active_customers') }} as margin_per_active_customer,
        power(1 + {{ var('yearly_discount_rate') }}, age_year) as discount
    from years
    -- From the first year on in which nobody stayed, there is nothing to raise.
    where active_customers > 0

),

scenarios as (

    select
        readings.reading,
        numbers.n as added_retention
    from (
        select 'points' as reading
        union all
        select 'percent' as reading
    ) as readings
    cross join {{ numbers(11) }} as numbers

),

-- added_retention 0 is the shop as it is.
raised as (

    select
        scenarios.reading,
        scenarios.added_retention,
        curve.age_year,
        curve.customers,
        curve.margin_per_active_customer,
        curve.discount,
        case
            when curve.age_year = 0 then 1
            when scenarios.reading = 'points'
                then least(1, curve.retention_rate + {{ ratio('scenarios.added_retention', 100) }})
            else least(1, curve.retention_rate * (1 + {{ ratio('scenarios.added_retention', 100) }}))
        end as retention_rate
    from scenarios
    cross join curve

),

survived as (

    select
        *,
        exp(sum(ln(retention_rate)) over (
            partition by reading, added_retention
            order by age_year asc nulls last
            rows between unbounded preceding and current row
        )) as surviving_share
    from raised

),

valued as (

    select
        reading,
        added_retention,
        cast(count(*) as integer) as curve_years,
        cast(max(case when age_year = 1 then customers end) as bigint) as customers,
        max(case when age_year = 1 then retention_rate end) as retention_rate,
        sum(surviving_share) as customer_years,
        sum(surviving_share * margin_per_active_customer / discount) as margin_per_new_customer
    from survived
    group by 1, 2
    having count(*) > 1

),

compared as (

    select
        raised_shop.reading,
        raised_shop.added_retention,
        raised_shop.curve_years,
        raised_shop.customers,
        shop.retention_rate,
        raised_shop.retention_rate as raised_retention_rate,
        shop.margin_per_new_customer,
        raised_shop.margin_per_new_customer as raised_margin_per_new_customer,
        {{ ratio('acquisition_costs.cost_amount', 'acquisition_costs.new_customers') }} as acquisition_cost,
        {{ ratio('shop.customer_years', 'raised_shop.customer_years') }} as needed_recruits
    from valued as raised_shop
    inner join valued as shop
        on raised_shop.reading = shop.reading
        and shop.added_retention = 0
    cross join acquisition_costs
    where raised_shop.added_retention > 0

),

profits as (

    select
        compared.*,
        recruiting.acquisition,
        compared.margin_per_new_customer - coalesce(compared.acquisition_cost, 0) as profit,
        case
            when recruiting.acquisition = 'same'
                then compared.raised_margin_per_new_customer - coalesce(compared.acquisition_cost, 0)
            -- What is saved is a cost that must be known.
            else compared.needed_recruits
                * (compared.raised_margin_per_new_customer - compared.acquisition_cost)
        end as raised_profit
    from compared
    cross join (
        select 'same' as acquisition
        union all
        select 'saved' as acquisition
    ) as recruiting

),

final as (

    select
        -- keys
        reading,
        cast(added_retention as integer) as added_retention,
        acquisition,

        -- measures
        curve_years,
        customers,
        retention_rate,
        raised_retention_rate,
        cast(round(margin_per_new_customer, 2) as decimal(18, 2)) as margin_per_new_customer_amount,
        cast(round(raised_margin_per_new_customer, 2) as decimal(18, 2)) as raised_margin_per_new_customer_amount,
        cast(round(acquisition_cost, 2) as decimal(18, 2)) as cost_per_new_customer_amount,
        case when acquisition = 'same' then cast(1 as double) else needed_recruits end as recruits_share,
        cast(round(profit, 2) as decimal(18, 2)) as profit_amount,
        cast(round(raised_profit, 2) as decimal(18, 2)) as raised_profit_amount,
        -- A rise of a loss has no meaning as a share.
        case when profit > 0 then {{ ratio('raised_profit - profit', 'profit') }} end as profit_rise_share,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        acquisition_cost is not null as is_acquisition_cost_known,

        -- times
        {{ as_of_date() }} as as_of_date

    from profits

)

select * from final

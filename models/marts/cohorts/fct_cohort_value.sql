with

cells as (

    select * from {{ ref('int_cohorts__retention_cells') }}
    where retention_type = 'bounded' and age_unit = 'month'

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

customers as (

    select
        customer_id,
        first_ordered_date,
        cohort_month,
        first_channel,
        coalesce(country_code, 'unknown') as country_code
    from {{ ref('int_purchases__customers') }}

),

valid_orders as (

    select
        order_id,
        customer_id,
        ordered_date
    from {{ ref('int_orders__valued') }}
    where is_valid_order

),

refunds as (

    select * from {{ ref('int_orders__refunds') }}

),

ordered as (

    select
        customers.cohort_month,
        customers.first_channel,
        customers.country_code,
        occasions.age_month as age,
        cast(sum(occasions.order_count) as bigint) as order_count,
        {{ money_sum('occasions.net_amount') }} as net_order_dated_amount,
        {{ money_sum('occasions.net_amount') }} as net_refund_dated_amount,
        {{ money_sum('occasions.contribution_margin_amount') }} as contribution_margin_amount

    from occasions
    inner join customers on occasions.customer_id = customers.customer_id
    group by 1, 2, 3, 4

),

refunds_of_customers as (

    select
        customers.cohort_month,
        customers.first_channel,
        customers.country_code,
        {{ months_between('customers.first_ordered_date', 'valid_orders.ordered_date') }} as order_age,
        {{ months_between('customers.first_ordered_date', 'refunds.refunded_date') }} as refund_age,
        -- Money back for a gift card takes back no revenue.
        refunds.refund_amount - refunds.gift_card_refund_amount as net_refund_amount

    from refunds
    inner join valid_orders on refunds.order_id = valid_orders.order_id
    inner join customers on valid_orders.customer_id = customers.customer_id

),

-- Net by the day of the refund: each refund leaves the month of its order and enters its own.
moved_refunds as (

    {% for age, amount in [('order_age', 'net_refund_amount'), ('refund_age', '-net_refund_amount')] -%}
    select
        cohort_month,
        first_channel,
        country_code,
        {{ age }} as age,
        cast(0 as bigint) as order_count,
        cast(0 as decimal(18, 2)) as net_order_dated_amount,
        {{ money_sum(amount) }} as net_refund_dated_amount,
        cast(0 as decimal(18, 2)) as contribution_margin_amount
    from refunds_of_customers
    group by 1, 2, 3, 4
    {% if not loop.last %}
    union all

    {% endif -%}
    {% endfor %}
),

movements as (

    select * from ordered
    union all
    select * from moved_refunds

),

movements_per_segment as (

    {% for segment_type, segment in cohort_segments() -%}
    select
        cohort_month,
        '{{ segment_type }}' as segment_type,
        {{ segment }} as segment,
        age,
        cast(sum(order_count) as bigint) as order_count,
        {{ money_sum('net_order_dated_amount') }} as net_order_dated_amount,
        {{ money_sum('net_refund_dated_amount') }} as net_refund_dated_amount,
        {{ money_sum('contribution_margin_amount') }} as contribution_margin_amount
    from movements
    group by 1, 2, 3, 4
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
),

filled as (

    select
        cells.cohort_month,
        cells.segment_type,
        cells.segment,
        cells.age,
        cells.cohort_size,
        cells.is_mature,
        cells.is_left_truncated,
        coalesce(movements_per_segment.order_count, 0) as order_count,
        cast(coalesce(movements_per_segment.net_order_dated_amount, 0) as decimal(18, 2))
            as net_order_dated_amount,
        cast(coalesce(movements_per_segment.net_refund_dated_amount, 0) as decimal(18, 2))
            as net_refund_dated_amount,
        cast(coalesce(movements_per_segment.contribution_margin_amount, 0) as decimal(18, 2))
            as contribution_margin_amount

    from cells
    left join movements_per_segment
        on cells.cohort_month = movements_per_segment.cohort_month
        and cells.segment_type = movements_per_segment.segment_type
        and cells.segment = movements_per_segment.segment
        and cells.age = movements_per_segment.age

),

cumulated as (

    select
        *,
        sum(order_count) over until_this_age as cumulative_order_count,
        sum(net_order_dated_amount) over until_this_age as cumulative_net_order_dated_amount,
        sum(net_refund_dated_amount) over until_this_age as cumulative_net_refund_dated_amount,
        sum(contribution_margin_amount) over until_this_age as cumulative_contribution_margin_amount

    from filled
    window until_this_age as (
        partition by cohort_month, segment_type, segment
        order by age asc nulls last
        rows between unbounded preceding and current row
    )

),

final as (

    select
        -- keys
        'first_order_month' as cohort_type,
        cohort_month,
        segment_type,
        segment,
        age,

        -- measures: amounts add up over all cells, so they hold what is known so far; a value per customer is a claim
        -- about a closed month
        cohort_size,
        order_count,
        net_order_dated_amount,
        net_refund_dated_amount,
        contribution_margin_amount,
        {% for measure in [
            'net_order_dated_amount', 'net_refund_dated_amount', 'contribution_margin_amount'
        ] -%}
        cast(case when is_mature
            then round({{ ratio('cumulative_' ~ measure, 'cohort_size') }}, 2)
        end as decimal(18, 2)) as cumulative_{{ measure | replace('_amount', '') }}_per_customer_amount,
        {% endfor -%}
        case when is_mature
            then {{ ratio('cumulative_order_count', 'cohort_size') }}
        end as cumulative_orders_per_customer,

        -- attributes
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        is_mature,
        is_left_truncated,

        -- times
        {{ as_of_date() }} as as_of_date

    from cumulated

)

select * from final

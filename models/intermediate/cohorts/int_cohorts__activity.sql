with

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

customers as (

    select * from {{ ref('int_purchases__customers') }}

),

-- One pass over the occasions: the previous occasion tells whether this one is its customer's first in a bucket, so
-- that customers are counted once per bucket without a distinct over millions of them.
aged as (

    select
        occasions.cohort_month,
        customers.first_channel,
        coalesce(customers.country_code, 'unknown') as country_code,
        occasions.occasion_number,
        occasions.age_month,
        occasions.age_30d,
        occasions.age_days,
        {{ months_between(
            'occasions.first_ordered_date',
            add_days('occasions.ordered_date', '-occasions.days_since_previous')) }} as previous_age_month,
        cast(floor({{ ratio('(occasions.age_days - occasions.days_since_previous)', 30) }}) as integer)
            as previous_age_30d,
        occasions.age_days - occasions.days_since_previous as previous_age_days,
        occasions.ordered_date = customers.last_ordered_date as is_last_occasion

    from occasions
    inner join customers on occasions.customer_id = customers.customer_id

),

bucketed as (

    select
        *,
        {{ bracket_of('age_days') }} as age_bracket,
        {{ bracket_of('previous_age_days') }} as previous_age_bracket
    from aged

),

final as (

    {% for age_unit, age in [('month', 'age_month'), ('30_days', 'age_30d'), ('days', 'age_bracket')] -%}
    select
        -- keys
        cohort_month,
        first_channel,
        country_code,
        '{{ age_unit }}' as age_unit,
        {{ age }} as age,

        -- measures
        cast(count(*) filter (
            where previous_{{ age }} is null or previous_{{ age }} <> {{ age }}
        ) as bigint) as active_customers,
        cast(count(*) filter (where occasion_number = 2) as bigint) as second_occasion_customers,
        cast(count(*) filter (where is_last_occasion) as bigint) as last_active_customers

    from bucketed
    where {{ age }} is not null
    group by 1, 2, 3, 4, 5
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
)

select * from final

{%- set horizon_days = 90 -%}

with

-- One voice a customer: the first event of its kind, so that no customer is counted twice within a kind.
bad_events as (

    select * from {{ ref('int_service__bad_events') }}
    where is_ticket_known

),

first_events as (

    select
        event_type,
        customer_id,
        resolution,
        compensation_amount,
        csat_score,
        happened_date,
        row_number() over (
            partition by customer_id, event_type
            order by event_number asc nulls last
        ) as event_place
    from bad_events

    union all

    select
        'all' as event_type,
        customer_id,
        resolution,
        compensation_amount,
        csat_score,
        happened_date,
        row_number() over (
            partition by customer_id
            order by event_number asc nulls last
        ) as event_place
    from bad_events

),

occasions as (

    select
        customer_id,
        ordered_date,
        {{ add_days('ordered_date', '-days_since_previous') }} as previous_ordered_date
    from {{ ref('int_purchases__occasions') }}

),

-- Everybody is followed from the bad event and not from its settlement, else the slow ones had to stay to be settled.
followed as (

    select
        first_events.*,
        first_events.compensation_amount > 0 as is_compensated,
        first_events.resolution <> 'undecided'
        and {{ add_days('first_events.happened_date', horizon_days) }} <= {{ as_of_date() }} as is_followed,
        occasions.customer_id is not null as has_repurchased

    from first_events
    left join occasions
        on first_events.customer_id = occasions.customer_id
        and first_events.happened_date < occasions.ordered_date
        and occasions.ordered_date <= {{ add_days('first_events.happened_date', horizon_days) }}
        and coalesce(occasions.previous_ordered_date, cast('1900-01-01' as date)) <= first_events.happened_date
    where first_events.event_place = 1

),

counted as (

    select
        event_type,
        resolution,
        is_compensated,
        cast(count(*) as bigint) as customers,
        {{ money_sum('compensation_amount') }} as compensation_amount,
        cast(count(csat_score) as bigint) as csat_answers,
        cast(count(*) filter (where csat_score >= 4) as bigint) as satisfied_answers,
        cast(count(*) filter (where is_followed) as bigint) as followed_customers,
        cast(count(*) filter (where is_followed and has_repurchased) as bigint) as repurchased_customers

    from followed
    group by 1, 2, 3

),

compared as (

    select
        *,
        cast(sum(followed_customers) over (partition by event_type) as bigint) - followed_customers
            as other_followed_customers,
        cast(sum(repurchased_customers) over (partition by event_type) as bigint) - repurchased_customers
            as other_repurchased_customers
    from counted

),

final as (

    select
        -- keys
        event_type,
        resolution,
        is_compensated,

        -- measures
        customers,
        compensation_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,
        csat_answers,
        satisfied_answers,
        {% for name, rate in [
            ('csat_rate', ratio('satisfied_answers', 'csat_answers')),
            ('csat_rate_low', wilson_low('satisfied_answers', 'csat_answers')),
            ('csat_rate_high', wilson_high('satisfied_answers', 'csat_answers')),
        ] -%}
        case when csat_answers >= {{ var('fewest_answers') }} then {{ rate }} end as {{ name }},
        {% endfor -%}
        followed_customers,
        repurchased_customers,
        {{ ratio('repurchased_customers', 'followed_customers') }} as next_90d_repurchase_rate,
        {{ wilson_low('repurchased_customers', 'followed_customers') }} as next_90d_repurchase_rate_low,
        {{ wilson_high('repurchased_customers', 'followed_customers') }} as next_90d_repurchase_rate_high,
        other_followed_customers,
        {{ ratio('other_repurchased_customers', 'other_followed_customers') }} as other_next_90d_repurchase_rate,
        {{ ratio('repurchased_customers', 'followed_customers') }}
        - {{ ratio('other_repurchased_customers', 'other_followed_customers') }} as next_90d_repurchase_difference,
        {{ newcombe_low(
            'repurchased_customers', 'followed_customers', 'other_repurchased_customers', 'other_followed_customers'
        ) }} as next_90d_repurchase_difference_low,
        {{ newcombe_high(
            'repurchased_customers', 'followed_customers', 'other_repurchased_customers', 'other_followed_customers'
        ) }} as next_90d_repurchase_difference_high,

        -- times
        {{ as_of_date() }} as as_of_date

    from compared

)

select * from final

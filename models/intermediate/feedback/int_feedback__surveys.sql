{#- Scores that complain, and scores that praise, by survey. A churn survey asks why and not how well. -#}
{%- set unhappy_at_most = {'nps': 6, 'csat': 2, 'post_return': 2, 'ces': 3} -%}
{%- set happy_at_least = {'nps': 9, 'csat': 4, 'post_return': 4, 'ces': 5} -%}

with

surveys as (

    select * from {{ ref('stg_survey_responses') }}
    where
        not is_deleted
        and {{ is_known('sent_at') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

-- An answer of the morning after has not come yet. A shop that does not say when it came got it on some day.
known as (

    select
        surveys.response_id,
        identity_map.customer_id,
        surveys.customer_id as source_customer_id,
        surveys.order_id,
        surveys.ticket_id,
        surveys.survey_type,
        coalesce(surveys.touchpoint, 'unknown') as touchpoint,
        surveys.sent_at,
        case when {{ is_known('surveys.responded_at') }} then surveys.responded_at end as responded_at,
        coalesce({{ is_known('surveys.responded_at') }}, surveys.score is not null) as is_answered,
        case when coalesce({{ is_known('surveys.responded_at') }}, true) then surveys.score end as score,
        case when {{ is_known('surveys.closed_loop_at') }} then surveys.closed_loop_at end as closed_loop_at

    from surveys
    left join identity_map on surveys.customer_id = identity_map.source_customer_id
    where not coalesce(identity_map.is_test, false)

),

judged as (

    select
        *,
        {{ shop_day('sent_at') }} as sent_date,
        {{ shop_day('coalesce(responded_at, sent_at)') }} as answered_date,
        coalesce(customer_id, source_customer_id) as person,
        case survey_type
            {% for survey, score in happy_at_least.items() -%}
            when '{{ survey }}' then score >= {{ score }}
            {% endfor -%}
        end as is_happy,
        case survey_type
            {% for survey, score in unhappy_at_most.items() -%}
            when '{{ survey }}' then score <= {{ score }}
            {% endfor -%}
        end as is_unhappy

    from known

),

-- Answers with a score stand in a row of their own per customer and survey; what was not answered stands in another.
ordered as (

    select
        *,
        lead(is_unhappy) over answers as is_next_unhappy,
        row_number() over (
            partition by person, survey_type, {{ month_of('sent_date') }}, score is null
            order by coalesce(responded_at, sent_at) desc nulls last, response_id desc nulls last
        ) as place_from_end_of_wave

    from judged
    window answers as (
        partition by person, survey_type, score is null
        order by coalesce(responded_at, sent_at) asc nulls last, response_id asc nulls last
    )

),

final as (

    select
        -- keys
        response_id,
        customer_id,
        source_customer_id,
        order_id,
        ticket_id,

        -- measures
        score,
        {{ seconds_between('sent_at', 'responded_at') }} / 3600 as response_hours,
        {{ seconds_between('coalesce(responded_at, sent_at)', 'closed_loop_at') }} / 3600 as closed_loop_hours,

        -- attributes
        survey_type,
        touchpoint,

        -- flags
        is_answered,
        is_happy,
        is_unhappy,
        score is not null and place_from_end_of_wave = 1 as is_last_of_wave,
        closed_loop_at is not null as is_loop_closed,
        case when is_unhappy then not is_next_unhappy end as is_turned_around,

        -- times
        sent_at,
        responded_at,
        closed_loop_at,
        sent_date,
        case when is_answered then answered_date end as answered_date

    from ordered

)

select * from final

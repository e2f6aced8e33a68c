{#- Days that surveys of a month's last day have to be answered before the month is told. -#}
{%- set answering_days = 14 -%}
{%- set segments = [
    ('all', "'all'"),
    ('touchpoint', 'touchpoint'),
    ('first_channel', 'first_channel'),
    ('country', 'country_code'),
] -%}

with

customers as (

    select
        customer_id,
        first_channel,
        country_code
    from {{ ref('int_purchases__customers') }}

),

surveys as (

    select
        fct_survey_responses.*,
        {{ month_of('fct_survey_responses.sent_date') }} as sent_month,
        coalesce(customers.first_channel, 'unknown') as first_channel,
        coalesce(customers.country_code, 'unknown') as country_code,
        -- Whoever answers twice in a wave of NPS has one voice, the last. CSAT and CES are about a purchase or a ticket
        -- each, and every one of them counts.
        case
            when fct_survey_responses.survey_type = 'nps' then fct_survey_responses.is_last_of_wave
            else fct_survey_responses.score is not null
        end as is_counted_answer
    from {{ ref('fct_survey_responses') }} as fct_survey_responses
    left join customers on fct_survey_responses.customer_id = customers.customer_id

),

counted as (

    {% for segment_type, segment in segments -%}
    select
        survey_type,
        '{{ segment_type }}' as segment_type,
        {{ segment }} as segment,
        sent_month,
        cast(count(*) as bigint) as sent,
        cast(count(*) filter (where is_answered) as bigint) as responded,
        cast(count(*) filter (where is_counted_answer) as bigint) as answers,
        cast(count(*) filter (where is_counted_answer and is_happy) as bigint) as happy_answers,
        cast(count(*) filter (where is_counted_answer and is_unhappy) as bigint) as unhappy_answers,
        cast(sum(case when is_counted_answer then score end) as bigint) as score_sum,
        cast(avg(case when is_counted_answer then cast(score as double) end) as double) as score_mean,
        cast(stddev_samp(case when is_counted_answer then cast(score as double) end) as double) as score_deviation,
        cast(count(*) filter (where is_counted_answer and is_unhappy and is_loop_closed) as bigint)
            as closed_loop_answers,
        cast(count(is_turned_around) filter (where is_counted_answer) as bigint) as asked_again_answers,
        cast(count(*) filter (where is_counted_answer and is_turned_around) as bigint) as turned_around_answers

    from surveys
    group by 1, 2, 3, 4
    {{ 'union all' if not loop.last }}

    {% endfor %}
),

dated as (

    select
        *,
        {{ add_days(end_of_month('sent_month'), answering_days) }} <= {{ as_of_date() }} as is_mature
    from counted

),

-- A score of too few answers is no score, and neither is one of none.
told as (

    select
        *,
        is_mature and sent >= {{ var('fewest_answers') }} as has_response_rate,
        is_mature and answers >= {{ var('fewest_answers') }} and survey_type = 'nps' as has_nps,
        is_mature and answers >= {{ var('fewest_answers') }} and survey_type in ('csat', 'post_return') as has_csat,
        is_mature and answers >= {{ var('fewest_answers') }} and survey_type = 'ces' as has_ces,
        -- NPS, CSAT and CES have unhappy answers; a churn survey has none by its question.
        case when survey_type <> 'churn' then unhappy_answers end as known_unhappy_answers
    from dated

),

final as (

    select
        -- keys
        survey_type,
        segment_type,
        segment,
        sent_month,

        -- measures: who answered
        sent,
        responded,
        case when has_response_rate then {{ ratio('responded', 'sent') }} end as response_rate,
        case when has_response_rate then {{ wilson_low('responded', 'sent') }} end as response_rate_low,
        case when has_response_rate then {{ wilson_high('responded', 'sent') }} end as response_rate_high,
        answers,

        -- measures: what they said
        case when survey_type = 'nps' then happy_answers end as promoters,
        case when survey_type = 'nps' then unhappy_answers end as detractors,
        case when has_nps then 100 * {{ ratio('happy_answers - unhappy_answers', 'answers') }} end as nps,
        case when has_nps then {{ net_promoter_low('happy_answers', 'unhappy_answers', 'answers') }} end as nps_low,
        case when has_nps then {{ net_promoter_high('happy_answers', 'unhappy_answers', 'answers') }} end as nps_high,
        case when survey_type in ('csat', 'post_return') then happy_answers end as satisfied_answers,
        case when has_csat then {{ ratio('happy_answers', 'answers') }} end as csat_rate,
        case when has_csat then {{ wilson_low('happy_answers', 'answers') }} end as csat_rate_low,
        case when has_csat then {{ wilson_high('happy_answers', 'answers') }} end as csat_rate_high,
        case when survey_type = 'ces' then score_sum end as ces_score_sum,
        case when has_ces then score_mean end as ces_mean,
        {% for bound, sign in [('low', '-'), ('high', '+')] -%}
        case
            when has_ces
                then score_mean {{ sign }} cast(1.959963984540054 as double) * score_deviation / sqrt(cast(answers as double))
        end as ces_mean_{{ bound }},
        {% endfor %}
        -- measures: what was done about it
        known_unhappy_answers as unhappy_answers,
        case when known_unhappy_answers is not null then closed_loop_answers end as closed_loop_answers,
        {% for name, rate in [
            ('closed_loop_rate', ratio('closed_loop_answers', 'known_unhappy_answers')),
            ('closed_loop_rate_low', wilson_low('closed_loop_answers', 'known_unhappy_answers')),
            ('closed_loop_rate_high', wilson_high('closed_loop_answers', 'known_unhappy_answers')),
        ] -%}
        case when is_mature then {{ rate }} end as {{ name }},
        {% endfor -%}
        case when known_unhappy_answers is not null then asked_again_answers end as asked_again_answers,
        case when known_unhappy_answers is not null then turned_around_answers end as turned_around_answers,
        {% for name, rate in [
            ('turn_around_rate', ratio('turned_around_answers', 'asked_again_answers')),
            ('turn_around_rate_low', wilson_low('turned_around_answers', 'asked_again_answers')),
            ('turn_around_rate_high', wilson_high('turned_around_answers', 'asked_again_answers')),
        ] -%}
        case when is_mature then {{ rate }} end as {{ name }},
        {% endfor %}

        -- flags
        is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from told

)

select * from final

-- Surveys, answers and unhappy answers of each kind of segment are those of the surveys themselves.
with

surveys as (

    select
        survey_type,
        {{ month_of('sent_date') }} as sent_month,
        count(*) as sent,
        count(*) filter (where is_answered) as responded,
        -- of NPS one for each customer, known or not
        case
            when survey_type = 'nps'
                then count(distinct case when score is not null then coalesce(customer_id, source_customer_id) end)
            else count(score)
        end as answers
    from {{ ref('fct_survey_responses') }}
    group by 1, 2

),

months as (

    select
        survey_type,
        sent_month,
        segment_type,
        sum(sent) as sent,
        sum(responded) as responded,
        sum(answers) as answers
    from {{ ref('fct_feedback_months') }}
    group by 1, 2, 3

)

select
    coalesce(surveys.survey_type, months.survey_type) as survey_type,
    coalesce(surveys.sent_month, months.sent_month) as sent_month,
    months.segment_type,
    surveys.sent as sent_surveys,
    months.sent as sent_in_months,
    surveys.answers as answers_of_surveys,
    months.answers as answers_in_months

from surveys
full outer join months
    on surveys.survey_type = months.survey_type
    and surveys.sent_month = months.sent_month
where
    coalesce(surveys.sent, 0) <> coalesce(months.sent, 0)
    or coalesce(surveys.responded, 0) <> coalesce(months.responded, 0)
    or coalesce(surveys.answers, 0) <> coalesce(months.answers, 0)

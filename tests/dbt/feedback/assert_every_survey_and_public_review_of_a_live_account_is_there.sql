-- Surveys and public reviews, counted in staging without the steps in between.
with

test_accounts as (

    select source_customer_id from {{ ref('int_identity__map') }}
    where is_test

),

staged as (

    select
        'surveys' as rows_of,
        count(*) as staged_rows
    from {{ ref('stg_survey_responses') }}
    where
        not is_deleted
        and {{ shop_day('sent_at') }} <= {{ as_of_date() }}
        and customer_id not in (select source_customer_id from test_accounts)

    union all

    select
        'reviews' as rows_of,
        count(*) as staged_rows
    from {{ ref('stg_reviews') }}
    where
        not is_deleted
        and is_public is not false
        and {{ shop_day('created_at') }} <= {{ as_of_date() }}
        and coalesce(customer_id, '') not in (select source_customer_id from test_accounts)

),

marts as (

    select
        'surveys' as rows_of,
        count(*) as mart_rows
    from {{ ref('fct_survey_responses') }}

    union all

    select
        'reviews' as rows_of,
        coalesce(sum(reviews), 0) as mart_rows
    from {{ ref('fct_review_months') }}
    where category <> 'all'

)

select
    staged.rows_of,
    staged.staged_rows,
    marts.mart_rows

from staged
inner join marts on staged.rows_of = marts.rows_of
where staged.staged_rows <> marts.mart_rows

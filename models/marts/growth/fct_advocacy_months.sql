{%- set follow_days = 90 -%}
{%- set groups = ['promoter', 'passive', 'detractor', 'not_answered', 'not_asked'] -%}

with

referrals as (

    select * from {{ ref('fct_referrals') }}
    where not is_self_referral

),

surveys as (

    select * from {{ ref('int_feedback__surveys') }}
    where survey_type = 'nps' and customer_id is not null

),

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not is_test

),

reviews as (

    select
        identity_map.customer_id,
        reviews.rating,
        {{ shop_day('reviews.created_at') }} as written_date
    from {{ ref('stg_reviews') }} as reviews
    inner join identity_map on reviews.customer_id = identity_map.source_customer_id
    where
        not reviews.is_deleted
        and {{ is_public_review('reviews') }}

),

-- Where nobody was ever asked, or could invite or write, there is no rate of zero.
first_months as (

    select
        (select {{ month_of('min(sent_date)') }} from surveys) as first_survey_month,
        (select {{ month_of('min(written_date)') }} from reviews) as first_review_month

),

months as (

    select
        referral_months.month_start,
        {{ end_of_month('referral_months.month_start') }} as month_end_date,
        referral_months.active_customers,
        referral_months.month_start >= first_months.first_review_month as has_reviews
    from {{ ref('fct_referral_months') }} as referral_months
    inner join first_months on referral_months.month_start >= first_months.first_survey_month

),

-- A customer is active from an order until the next one, or for lapse_days, as in fct_referral_months.
orders as (

    select
        customer_id,
        ordered_date,
        {{ add_days('ordered_date', var('lapse_days') + 1) }} as lapses_on,
        lead(ordered_date) over (partition by customer_id order by ordered_date asc nulls last) as next_ordered_date
    from {{ ref('int_purchases__occasions') }}

),

stretches as (

    select
        customer_id,
        ordered_date,
        least(lapses_on, coalesce(next_ordered_date, lapses_on)) as inactive_from_date
    from orders

),

answers as (

    select
        customer_id,
        {{ month_of('answered_date') }} as month_start,
        answered_date,
        is_happy,
        is_unhappy,
        row_number() over (
            partition by customer_id, {{ month_of('answered_date') }}
            order by coalesce(responded_at, sent_at) desc nulls last, response_id desc nulls last
        ) as place_from_end
    from surveys
    where score is not null

),

last_answers as (

    select * from answers
    where place_from_end = 1

),

asked as (

    select distinct
        customer_id,
        {{ month_of('sent_date') }} as month_start
    from surveys

),

-- Everybody is followed from the day on which it is known what they are: the last answer of the month, or else its end.
voices as (

    select
        coalesce(last_answers.customer_id, asked.customer_id) as customer_id,
        coalesce(last_answers.month_start, asked.month_start) as month_start,
        case
            when last_answers.customer_id is null then 'not_answered'
            when last_answers.is_happy then 'promoter'
            when last_answers.is_unhappy then 'detractor'
            else 'passive'
        end as recommendation_group,
        coalesce(last_answers.answered_date, {{ end_of_month('asked.month_start') }}) as followed_from_date

    from last_answers
    full outer join asked
        on last_answers.customer_id = asked.customer_id
        and last_answers.month_start = asked.month_start

),

heard_customers as (

    select
        voices.month_start,
        voices.recommendation_group,
        cast(count(*) as bigint) as customers
    from voices
    inner join months on voices.month_start = months.month_start
    inner join stretches
        on voices.customer_id = stretches.customer_id
        and months.month_end_date >= stretches.ordered_date
        and months.month_end_date < stretches.inactive_from_date
    group by 1, 2

),

deeds as (

    select
        referrer_customer_id as customer_id,
        invited_date as done_date,
        true as is_invitation,
        cast(null as integer) as rating
    from referrals

    union all

    select
        customer_id,
        written_date as done_date,
        false as is_invitation,
        rating
    from reviews

),

-- Whoever was not asked has no row among the voices, and needs none: customers by months would be a huge table.
followed as (

    select
        months.month_start,
        coalesce(voices.recommendation_group, 'not_asked') as recommendation_group,
        deeds.customer_id,
        deeds.is_invitation,
        deeds.rating

    from deeds
    inner join months
        on deeds.done_date > months.month_start
        and deeds.done_date <= {{ add_days('months.month_end_date', follow_days) }}
    inner join stretches
        on deeds.customer_id = stretches.customer_id
        and months.month_end_date >= stretches.ordered_date
        and months.month_end_date < stretches.inactive_from_date
    left join voices
        on deeds.customer_id = voices.customer_id
        and months.month_start = voices.month_start
    where
        deeds.done_date > coalesce(voices.followed_from_date, months.month_end_date)
        and deeds.done_date
        <= {{ add_days('coalesce(voices.followed_from_date, months.month_end_date)', follow_days) }}

),

deeds_of_groups as (

    select
        month_start,
        recommendation_group,
        cast(count(distinct case when is_invitation then customer_id end) as bigint) as referring_customers,
        cast(count(*) filter (where is_invitation) as bigint) as invites,
        cast(count(*) filter (where not is_invitation) as bigint) as public_reviews,
        cast(count(*) filter (where rating >= 4) as bigint) as happy_reviews
    from followed
    group by 1, 2

),

-- The same groups in every month, an empty one with nobody in it.
groups as (

    {% for group in groups -%}
    select '{{ group }}' as recommendation_group
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

joined as (

    select
        months.month_start,
        groups.recommendation_group,
        case
            when months.active_customers is null then null
            when groups.recommendation_group = 'not_asked'
                then months.active_customers
                    - cast(coalesce(sum(heard_customers.customers) over (partition by months.month_start), 0) as bigint)
            else coalesce(heard_customers.customers, 0)
        end as customers,
        coalesce(deeds_of_groups.referring_customers, 0) as referring_customers,
        coalesce(deeds_of_groups.invites, 0) as invites,
        coalesce(deeds_of_groups.public_reviews, 0) as public_reviews,
        coalesce(deeds_of_groups.happy_reviews, 0) as happy_reviews,
        coalesce(months.has_reviews, false) as has_reviews,
        {{ add_days('months.month_end_date', follow_days) }} <= {{ as_of_date() }} as is_mature

    from months
    cross join groups
    left join heard_customers
        on months.month_start = heard_customers.month_start
        and groups.recommendation_group = heard_customers.recommendation_group
    left join deeds_of_groups
        on months.month_start = deeds_of_groups.month_start
        and groups.recommendation_group = deeds_of_groups.recommendation_group

),

told as (

    select
        *,
        is_mature and has_reviews as has_mature_reviews,
        is_mature and has_reviews and public_reviews >= {{ var('fewest_answers') }} as has_review_share
    from joined

),

final as (

    select
        -- keys
        month_start,
        recommendation_group,

        -- measures of invitations
        customers,
        case when is_mature then referring_customers end as referring_customers_90d,
        case when is_mature then invites end as invites_90d,
        case when is_mature then {{ ratio('referring_customers', 'customers') }} end as referral_rate_90d,
        case when is_mature then {{ wilson_low('referring_customers', 'customers') }} end as referral_rate_90d_low,
        case when is_mature then {{ wilson_high('referring_customers', 'customers') }} end as referral_rate_90d_high,

        -- measures of public reviews
        case when has_mature_reviews then public_reviews end as public_reviews_90d,
        case when has_mature_reviews then {{ ratio('public_reviews', 'customers') }} end
            as public_reviews_per_customer_90d,
        case when has_mature_reviews then happy_reviews end as happy_reviews_90d,
        case when has_review_share then {{ ratio('happy_reviews', 'public_reviews') }} end as happy_review_share_90d,
        case when has_review_share then {{ wilson_low('happy_reviews', 'public_reviews') }} end
            as happy_review_share_90d_low,
        case when has_review_share then {{ wilson_high('happy_reviews', 'public_reviews') }} end
            as happy_review_share_90d_high,

        -- flags
        is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from told

)

select * from final

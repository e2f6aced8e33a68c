with

reviews as (

    select * from {{ ref('stg_reviews') }} as reviews
    where
        not reviews.is_deleted
        and {{ is_public_review('reviews') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

products as (

    select * from {{ ref('stg_products') }}
    where not is_deleted

),

known as (

    select
        {{ month_of(shop_day('reviews.created_at')) }} as written_month,
        coalesce(products.category_l1, 'unknown') as category,
        reviews.rating,
        coalesce(reviews.is_verified, false) as is_verified,
        coalesce({{ is_known('reviews.replied_at') }}, false) as is_answered,
        case when {{ is_known('reviews.replied_at') }} then {{ seconds_between('reviews.created_at', 'reviews.replied_at') }} end
            / 3600 as reply_hours

    from reviews
    left join identity_map on reviews.customer_id = identity_map.source_customer_id
    left join products on reviews.variant_id = products.variant_id
    where not coalesce(identity_map.is_test, false)

),

counted as (

    {% for category in ['category', "'all'"] -%}
    select
        written_month,
        {{ category }} as category,
        cast(count(*) as bigint) as reviews,
        cast(count(*) filter (where is_verified) as bigint) as verified_reviews,
        cast(count(*) filter (where rating >= 4) as bigint) as happy_reviews,
        cast(count(*) filter (where rating <= 2) as bigint) as unhappy_reviews,
        cast(count(*) filter (where rating <= 2 and is_answered) as bigint) as answered_unhappy_reviews,
        cast(avg(cast(rating as double)) as double) as rating_mean,
        cast(percentile_cont(0.5) within group (order by case when rating <= 2 then reply_hours end) as double)
            as unhappy_reply_hours_p50
    from known
    group by 1, 2
    {{ 'union all' if not loop.last }}

    {% endfor %}
),

dated as (

    select
        *,
        {{ end_of_month('written_month') }} <= {{ as_of_date() }} as is_mature
    from counted

),

final as (

    select
        -- keys
        written_month,
        category,

        -- measures
        reviews,
        verified_reviews,
        case when is_mature and reviews >= {{ var('fewest_answers') }} then rating_mean end as rating_mean,
        happy_reviews,
        {% for name, share in [
            ('happy_share', ratio('happy_reviews', 'reviews')),
            ('happy_share_low', wilson_low('happy_reviews', 'reviews')),
            ('happy_share_high', wilson_high('happy_reviews', 'reviews')),
        ] -%}
        case when is_mature and reviews >= {{ var('fewest_answers') }} then {{ share }} end as {{ name }},
        {% endfor -%}
        unhappy_reviews,
        answered_unhappy_reviews,
        {% for name, rate in [
            ('answered_unhappy_rate', ratio('answered_unhappy_reviews', 'unhappy_reviews')),
            ('answered_unhappy_rate_low', wilson_low('answered_unhappy_reviews', 'unhappy_reviews')),
            ('answered_unhappy_rate_high', wilson_high('answered_unhappy_reviews', 'unhappy_reviews')),
        ] -%}
        case when is_mature then {{ rate }} end as {{ name }},
        {% endfor -%}
        case when is_mature then unhappy_reply_hours_p50 end as unhappy_reply_hours_p50,

        -- flags
        is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated

)

select * from final

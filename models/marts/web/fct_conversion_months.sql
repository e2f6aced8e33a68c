with

sessions as (

    select * from {{ ref('fct_sessions') }}
    where not is_suspected_bot

),

claims as (

    select * from {{ ref('published_benchmark_claims') }}

),

-- Once over the sessions, then over few rows.
counted as (

    select
        customer_state,
        {{ month_of('session_date') }} as session_month,
        entry_channel,
        device_type,
        platform,
        count(*) as sessions,
        count(*) filter (where furthest_step <> 'visit') as product_sessions,
        count(*) filter (where furthest_step in ('cart', 'checkout', 'purchase')) as cart_sessions,
        count(*) filter (where furthest_step in ('checkout', 'purchase')) as checkout_sessions,
        count(*) filter (where has_purchased) as purchase_sessions,
        sum(purchase_count) as orders,
        count(*) filter (where recognised_by in ('account', 'device')) as recognised_sessions,
        count(*) filter (where recognised_by in ('account', 'device') and has_purchased) as recognised_purchase_sessions

    from sessions
    group by 1, 2, 3, 4, 5

),

breakdowns as (

    {% for breakdown, value in {
        'all': "'all'", 'channel': 'entry_channel', 'device_type': 'device_type', 'platform': 'platform'
    }.items() -%}
    select
        customer_state,
        session_month,
        '{{ breakdown }}' as breakdown,
        {{ value }} as breakdown_value,
        {% for measure in [
            'sessions', 'product_sessions', 'cart_sessions', 'checkout_sessions', 'purchase_sessions', 'orders',
            'recognised_sessions', 'recognised_purchase_sessions'
        ] -%}
        cast(sum({{ measure }}) as bigint) as {{ measure }}{{ ',' if not loop.last }}
        {% endfor %}
    from counted
    group by 1, 2, 3, 4
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- The published claim speaks of two groups. A member is a customer already; of lapsed ones it says nothing.
dated as (

    select
        *,
        case
            when customer_state in ('existing', 'member') then 'sale_to_existing_customer'
            when customer_state = 'new' then 'sale_to_new_prospect'
        end as benchmark_id,
        {{ add_days(add_months('session_month', 1), -1) }} <= {{ as_of_date() }} as is_mature
    from breakdowns

),

final as (

    select
        -- keys
        dated.customer_state,
        dated.breakdown,
        dated.breakdown_value,
        dated.session_month,

        -- measures
        dated.sessions,
        dated.product_sessions,
        dated.cart_sessions,
        dated.checkout_sessions,
        dated.purchase_sessions,
        dated.orders,
        case when dated.is_mature then {{ ratio('dated.purchase_sessions', 'dated.sessions') }} end as conversion_rate,
        case when dated.is_mature then {{ wilson_low('dated.purchase_sessions', 'dated.sessions') }} end
            as conversion_rate_low,
        case when dated.is_mature then {{ wilson_high('dated.purchase_sessions', 'dated.sessions') }} end
            as conversion_rate_high,
        dated.recognised_sessions,
        dated.recognised_purchase_sessions,
        -- Most new customers are named by their first order or not at all: the named ones alone would say nothing.
        case
            when dated.is_mature and dated.customer_state <> 'new'
                then {{ ratio('dated.recognised_purchase_sessions', 'dated.recognised_sessions') }}
        end as recognised_conversion_rate,
        case
            when dated.is_mature then {{ ratio('dated.checkout_sessions - dated.purchase_sessions', 'dated.checkout_sessions') }}
        end as checkout_drop_rate,
        claims.value as published_rate_low,
        claims.value_high as published_rate_high,

        -- flags
        dated.is_mature,

        -- times
        {{ as_of_date() }} as as_of_date

    from dated
    left join claims on dated.benchmark_id = claims.benchmark_id

)

select * from final

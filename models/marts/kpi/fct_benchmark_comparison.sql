{#- Minutes that stand for "not yet": longer than any wait. -#}
{%- set unanswered_minutes = '1e12' -%}
{#- Shares, as hits of trials: their intervals are Wilson's. Own measure, where it is counted, hits, trials, rows. -#}
{%- set shares = [
    ('annual_renewal_first', 'renewals', 'sum(renewed)', 'sum(decided)', 'term_number = 1'),
    ('annual_renewal_second', 'renewals', 'sum(renewed)', 'sum(decided)', 'term_number = 2'),
    ('annual_renewal_later', 'renewals', 'sum(renewed)', 'sum(decided)', 'term_number >= 2'),
    ('trial_conversion', 'trials', 'sum(converted_trials)', 'sum(decided_trials)', 'true'),
    ('new_conversion', 'conversions', 'sum(purchase_sessions)', 'sum(sessions)', "customer_state = 'new'"),
    ('existing_conversion', 'conversions', 'sum(purchase_sessions)', 'sum(sessions)', "customer_state = 'existing'"),
    ('existing_recognised_conversion', 'conversions', 'sum(recognised_purchase_sessions)', 'sum(recognised_sessions)',
        "customer_state = 'existing'"),
    ('returning_conversion', 'conversions', 'sum(purchase_sessions)', 'sum(sessions)', "customer_state <> 'new'"),
    ('uncomplained_customer_share', 'unhappy_customers', 'count(*) filter (where not has_complained)', 'count(*)',
        'true'),
    ('email_ticket_share', 'tickets', "count(*) filter (where channel = 'email')", 'count(*)', 'true'),
    ('phone_unhappy_share', 'tickets', 'count(*) filter (where csat_score < 4)', 'count(csat_score)',
        "channel = 'phone'"),
    ('answered_within_hours', 'tickets', 'count(*) filter (where is_answered_in_target)',
        'count(is_answered_in_target)', 'true'),
    ('answered_within_limit', 'tickets', 'count(*) filter (where is_answered_within_limit)',
        'count(is_answered_within_limit)', 'true'),
    ('early_share', 'deliveries', 'count(*) filter (where days_late < 0)', 'count(days_late)', 'true'),
    ('return_rate', 'returns_value', 'sum(returned_units)', 'sum(delivered_units)', 'true'),
] -%}
{#- Answers about one channel, beside those about all others: their intervals are Newcombe's. -#}
{%- set gaps_of_channels = [
    ('email_satisfied_gap', 'email', 'csat_score >= 4'),
    ('phone_unhappy_gap', 'phone', 'csat_score < 4'),
] -%}
{#- What else is counted. Own measure, where, value, lower and upper end, count, rows. -#}
{%- set median_hours = 'cast(median(cast(first_response_minutes as double)) as double) / 60' -%}
{%- set answers = 'count(first_response_minutes)' -%}
{%- set rise = ('effects', 'adjusted_difference', 'adjusted_low_95', 'adjusted_high_95', 'treated_customers') -%}
{%- set lapse = ('effects', '-adjusted_difference', '-adjusted_high_95', '-adjusted_low_95', 'treated_customers') -%}
{%- set stayed_away = ('effects', '1 - treated_mean', 'null', 'null', 'treated_customers') -%}
{%- set bad_service = "event_family = 'service' and event_name = 'bad_service'" -%}
{%- set bad_experience = "event_family = 'bad_experience' and event_name = 'any_bad_experience'" -%}
{%- set figures = [
    ('acquisition_times_as_much', 'acquisition_costs', 'times_as_much', 'null', 'null', 'new_customers', 'true'),
    ('acquisition_times_more', 'acquisition_costs', 'times_as_much - 1', 'null', 'null', 'new_customers', 'true'),
    ('loyalty_repeat_gap', 'loyalty_months',
        ratio('sum(repeated)', 'sum(buyers)') ~ ' - ' ~ ratio('sum(others_repeated)', 'sum(other_buyers)'),
        'null', 'null', 'sum(buyers)', 'true'),
    ('loyalty_tier_effect',) + rise + ("event_family = 'loyalty' and event_name = 'loyalty_tier_reached'",),
    ('recovery_effect',) + rise + ("event_family = 'service' and event_name = 'service_recovery'",),
    ('bad_service_effect',) + lapse + (bad_service,),
    ('first_bad_experience_effect',) + lapse + (bad_experience,),
    ('bad_service_lapse',) + stayed_away + (bad_service,),
    ('first_bad_experience_lapse',) + stayed_away + (bad_experience,),
    ('forgone_margin', 'churn_costs', 'cast(forgone_margin_365d_amount as double)',
        'cast(forgone_margin_365d_low_amount as double)', 'cast(forgone_margin_365d_high_amount as double)',
        'newly_lapsed_customers', 'true'),
    ('uncomplained_share', 'complaints', 'uncomplained_share', 'uncomplained_share_low', 'uncomplained_share_high',
        'bad_events', 'true'),
    ('silent_share', 'complaints', 'silent_share', 'silent_share_low', 'silent_share_high', 'bad_events', 'true'),
    ('promised_days', 'deliveries', 'cast(median(' ~ days_between('ordered_date', 'promised_date') ~ ') as double)',
        'null', 'null', 'count(*)', 'true'),
    ('referral_reward', 'referrals', 'avg(cast(reward_amount as double))', 'null', 'null', 'count(reward_amount)',
        'true'),
    ('first_response_hours', 'tickets', median_hours, 'null', 'null', answers, 'true'),
    ('email_first_response_hours', 'tickets', median_hours, 'null', 'null', answers, "channel = 'email'"),
    ('phone_first_response_hours', 'tickets', median_hours, 'null', 'null', answers, "channel = 'phone'"),
    ('first_response_hours_p90', 'slowest_tickets',
        'case when p90_minutes < ' ~ unanswered_minutes ~ ' then p90_minutes / 60 end', 'null', 'null', 'tickets',
        'true'),
] -%}

with

claims as (

    select * from {{ ref('published_benchmark_claims') }}

),

readings as (

    select * from {{ ref('benchmark_readings') }}

),

renewals as (

    select
        term_number,
        sum(decided_terms) as decided,
        sum(renewed_terms) as renewed
    from {{ ref('fct_membership_survival') }}
    where billing_period = 'annual' and term_number > 0
    group by 1

),

trials as (

    select * from {{ ref('fct_membership_trials') }}
    where is_mature

),

profits as (

    select * from {{ ref('fct_retention_profit') }}
    where added_retention = 5

),

acquisition_costs as (

    select
        {{ ratio('sum(acquisition_cost_amount)', 'sum(new_customers)') }}
            / nullif({{ ratio('sum(retention_cost_amount)', 'sum(retained_customers)') }}, 0) as times_as_much,
        sum(new_customers) as new_customers
    from {{ ref('fct_acquisition_costs') }}
    where
        channel = 'all'
        and times_as_much is not null
        and month_start > {{ add_months(as_of_date(), -13) }}

),

loyalty_months as (

    select
        month_start,
        sum(repeat_eligible_customers) as buyers,
        sum(repeat_customers) as repeated,
        max(others_repeat_eligible_customers) as other_buyers,
        max(others_repeat_customers) as others_repeated
    from {{ ref('fct_loyalty_months') }}
    where is_repeat_mature
    group by 1

),

effects as (

    select * from {{ ref('fct_effects') }}
    where outcome_name = 'ordered' and ordinal = 1

),

conversions as (

    select * from {{ ref('fct_conversion_months') }}
    where breakdown = 'all' and is_mature

),

churn_costs as (

    select * from {{ ref('fct_churn_costs') }}
    where order_count_band = 'all'

),

unhappy_customers as (

    select * from {{ ref('fct_silent_dissatisfaction') }}
    where decided_bad_events = bad_events

),

complaints as (

    select * from {{ ref('fct_complaint_rates') }}
    where event_type = 'all'

),

tickets as (

    select
        *,
        coalesce(cast(first_response_minutes as double), {{ unanswered_minutes }}) as waited_minutes
    from {{ ref('fct_support_tickets') }}

),

-- A ticket that waits still has waited longest; where more than a tenth do, there is no such hour.
slowest_tickets as (

    select
        cast(percentile_cont(0.9) within group (order by waited_minutes) as double) as p90_minutes,
        count(*) as tickets
    from tickets

),

deliveries as (

    select * from {{ ref('fct_deliveries') }}
    where promised_date is not null and ordered_date is not null

),

referrals as (

    select * from {{ ref('fct_referrals') }}
    where is_reward_granted

),

returns_value as (

    select * from {{ ref('fct_returns_value') }}
    where main_reason_code = 'all'

),

gaps as (

    {% for own_measure, channel, hit in gaps_of_channels -%}
    select
        '{{ own_measure }}' as own_measure,
        count(*) filter (where channel = '{{ channel }}' and {{ hit }}) as hits,
        count(csat_score) filter (where channel = '{{ channel }}') as trials,
        count(*) filter (where channel <> '{{ channel }}' and {{ hit }}) as other_hits,
        count(csat_score) filter (where channel <> '{{ channel }}') as other_trials
    from tickets
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

counts as (

    {% for own_measure, relation, hits, trials, rows_counted in shares -%}
    select '{{ own_measure }}' as own_measure, {{ hits }} as hits, {{ trials }} as trials
    from {{ relation }}
    where {{ rows_counted }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

measured as (

    select
        own_measure,
        {{ ratio('hits', 'trials') }} as own_value,
        {{ wilson_low('hits', 'trials') }} as own_low,
        {{ wilson_high('hits', 'trials') }} as own_high,
        cast(trials as bigint) as own_count
    from counts

    union all

    select
        own_measure,
        {{ ratio('hits', 'trials') }} - {{ ratio('other_hits', 'other_trials') }},
        {{ newcombe_low('hits', 'trials', 'other_hits', 'other_trials') }},
        {{ newcombe_high('hits', 'trials', 'other_hits', 'other_trials') }},
        cast(trials as bigint)
    from gaps

    union all

    select
        'annual_survival_second',
        max(case when term_number = 1 then {{ ratio('renewed', 'decided') }} end)
            * max(case when term_number = 2 then {{ ratio('renewed', 'decided') }} end),
        null,
        null,
        cast(max(case when term_number = 2 then decided end) as bigint)
    from renewals

    union all

    select concat('profit_rise_', reading, '_', acquisition), profit_rise_share, null, null, customers
    from profits
    {% for own_measure, relation, value, low, high, own_count, rows_counted in figures %}
    union all

    select '{{ own_measure }}', {{ value }}, {{ low }}, {{ high }}, cast({{ own_count }} as bigint)
    from {{ relation }}
    where {{ rows_counted }}
    {% endfor %}
),

compared as (

    select
        claims.benchmark_id,
        readings.reading,
        claims.claim_number,
        claims.value as published_value,
        claims.value_high as published_value_high,
        claims.unit,
        claims.claim,
        claims.raw_text,
        claims.caution,
        claims.source,
        readings.table_name,
        readings.own_unit,
        measured.own_value,
        case when measured.own_value is not null then measured.own_low end as own_low,
        case when measured.own_value is not null then measured.own_high end as own_high,
        case when measured.own_value is not null then measured.own_count end as own_count,
        -- Amounts compare in one currency.
        readings.is_comparable
        and not (claims.unit = 'gb_pounds' and '{{ var("shop_currency") }}' <> 'GBP')
        and not (claims.unit = 'us_dollars' and '{{ var("shop_currency") }}' <> 'USD') as is_comparable,
        readings.reason,
        readings.own_measure is not null and measured.own_value is null as is_without_data

    from claims
    inner join readings on claims.benchmark_id = readings.benchmark_id
    left join measured on readings.own_measure = measured.own_measure

),

final as (

    select
        -- keys
        benchmark_id,
        reading,
        claim_number,

        -- measures
        published_value,
        published_value_high,
        own_value,
        own_low,
        own_high,
        cast(own_count as bigint) as own_count,
        case when is_comparable then own_value - published_value end as difference,

        -- attributes
        unit,
        own_unit,
        case
            when own_value is null or not is_comparable then null
            when coalesce(own_high, own_value) < published_value then 'below'
            when coalesce(own_low, own_value) > coalesce(published_value_high, published_value) then 'above'
            else 'agrees'
        end as verdict,
        claim,
        raw_text,
        caution,
        source,
        case when is_without_data then concat('No own figure yet. ', reason) else reason end as comparison_note,
        table_name,

        -- flags
        is_comparable and own_value is not null as is_comparable,

        -- times
        {{ as_of_date() }} as as_of_date

    from compared

)

select * from final

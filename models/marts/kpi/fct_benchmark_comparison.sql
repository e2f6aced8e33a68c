{#- Minutes that stand for "not yet": longer than any wait. -#}
{%- set unanswered_minutes = '1e12' -%}
{#- Measures of tickets: own measure, hits, what is counted as trials. -#}
{%- set shares_of_tickets = [
    ('email_ticket_share', "channel = 'email'", '*'),
    ('phone_unhappy_share', "channel = 'phone' and csat_score < 4", "case when channel = 'phone' then csat_score end"),
    ('answered_within_hours', 'is_answered_in_target', 'is_answered_in_target'),
    ('answered_within_limit', 'is_answered_within_limit', 'is_answered_within_limit'),
] -%}
{%- set hours_of_channels = [
    ('first_response_hours', 'true'),
    ('email_first_response_hours', "channel = 'email'"),
    ('phone_first_response_hours', "channel = 'phone'"),
] -%}
{#- Measures of effects: own measure, event, what is told of it. -#}
{%- set lapse = {'value': '-adjusted_difference', 'low': '-adjusted_high_95', 'high': '-adjusted_low_95'} -%}
{%- set rise = {'value': 'adjusted_difference', 'low': 'adjusted_low_95', 'high': 'adjusted_high_95'} -%}

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

    select
        customer_state,
        sum(sessions) as sessions,
        sum(purchase_sessions) as purchase_sessions,
        sum(recognised_sessions) as recognised_sessions,
        sum(recognised_purchase_sessions) as recognised_purchase_sessions
    from {{ ref('fct_conversion_months') }}
    where breakdown = 'all' and is_mature
    group by 1

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

-- Answers about one channel, beside those about all others: their intervals are Newcombe's.
gaps as (

    select
        'email_satisfied_gap' as own_measure,
        count(*) filter (where channel = 'email' and csat_score >= 4) as hits,
        count(csat_score) filter (where channel = 'email') as trials,
        count(*) filter (where channel <> 'email' and csat_score >= 4) as other_hits,
        count(csat_score) filter (where channel <> 'email') as other_trials
    from tickets

    union all

    select
        'phone_unhappy_gap',
        count(*) filter (where channel = 'phone' and csat_score < 4),
        count(csat_score) filter (where channel = 'phone'),
        count(*) filter (where channel <> 'phone' and csat_score < 4),
        count(csat_score) filter (where channel <> 'phone')
    from tickets

),

-- Shares, as hits of trials: their intervals are Wilson's.
counts as (

    select 'annual_renewal_first' as own_measure, sum(renewed) as hits, sum(decided) as trials
    from renewals
    where term_number = 1

    union all

    select 'annual_renewal_second', sum(renewed), sum(decided)
    from renewals
    where term_number = 2

    union all

    select 'annual_renewal_later', sum(renewed), sum(decided)
    from renewals
    where term_number >= 2

    union all

    select 'trial_conversion', sum(converted_trials), sum(decided_trials)
    from trials

    union all

    select
        case customer_state when 'new' then 'new_conversion' else 'existing_conversion' end,
        purchase_sessions,
        sessions
    from conversions
    where customer_state in ('new', 'existing')

    union all

    select 'existing_recognised_conversion', recognised_purchase_sessions, recognised_sessions
    from conversions
    where customer_state = 'existing'

    union all

    select 'returning_conversion', sum(purchase_sessions), sum(sessions)
    from conversions
    where customer_state <> 'new'

    union all

    select 'uncomplained_customer_share', count(*) filter (where not has_complained), count(*)
    from unhappy_customers

    union all

    {% for own_measure, hits, trials in shares_of_tickets -%}
    select '{{ own_measure }}', count(*) filter (where {{ hits }}), count({{ trials }})
    from tickets
    {{ 'union all' if not loop.last }}

    {% endfor -%}

    union all

    select 'early_share', count(*) filter (where days_late < 0), count(days_late)
    from deliveries

    union all

    select 'return_rate', sum(returned_units), sum(delivered_units)
    from returns_value

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

    select
        concat('profit_rise_', reading, '_', acquisition),
        profit_rise_share,
        null,
        null,
        customers
    from profits

    union all

    select 'acquisition_times_as_much', times_as_much, null, null, cast(new_customers as bigint)
    from acquisition_costs

    union all

    select 'acquisition_times_more', times_as_much - 1, null, null, cast(new_customers as bigint)
    from acquisition_costs

    union all

    select
        'loyalty_repeat_gap',
        {{ ratio('sum(repeated)', 'sum(buyers)') }} - {{ ratio('sum(others_repeated)', 'sum(other_buyers)') }},
        null,
        null,
        cast(sum(buyers) as bigint)
    from loyalty_months

    union all

    {% for own_measure, family, event, told in [
        ('loyalty_tier_effect', 'loyalty', 'loyalty_tier_reached', rise),
        ('recovery_effect', 'service', 'service_recovery', rise),
        ('bad_service_effect', 'service', 'bad_service', lapse),
        ('first_bad_experience_effect', 'bad_experience', 'any_bad_experience', lapse),
    ] -%}
    select '{{ own_measure }}', {{ told.value }}, {{ told.low }}, {{ told.high }}, treated_customers
    from effects
    where event_family = '{{ family }}' and event_name = '{{ event }}'

    union all

    {% endfor -%}
    {% for own_measure, family, event in [
        ('bad_service_lapse', 'service', 'bad_service'),
        ('first_bad_experience_lapse', 'bad_experience', 'any_bad_experience'),
    ] -%}
    select '{{ own_measure }}', 1 - treated_mean, null, null, treated_customers
    from effects
    where event_family = '{{ family }}' and event_name = '{{ event }}'

    union all

    {% endfor -%}
    select
        'forgone_margin',
        cast(forgone_margin_365d_amount as double),
        cast(forgone_margin_365d_low_amount as double),
        cast(forgone_margin_365d_high_amount as double),
        newly_lapsed_customers
    from {{ ref('fct_churn_costs') }}
    where order_count_band = 'all'

    union all

    select 'uncomplained_share', uncomplained_share, uncomplained_share_low, uncomplained_share_high, bad_events
    from complaints

    union all

    select 'silent_share', silent_share, silent_share_low, silent_share_high, bad_events
    from complaints

    union all

    select
        'promised_days',
        cast(median({{ days_between('ordered_date', 'promised_date') }}) as double),
        null,
        null,
        count(*)
    from deliveries

    union all

    select 'referral_reward', avg(cast(reward_amount as double)), null, null, count(reward_amount)
    from referrals

    union all

    {% for own_measure, channels in hours_of_channels -%}
    select
        '{{ own_measure }}',
        cast(median(cast(first_response_minutes as double)) as double) / 60,
        null,
        null,
        count(first_response_minutes)
    from tickets
    where {{ channels }}

    union all

    {% endfor -%}
    -- A ticket that waits still has waited longest; where more than a tenth do, there is no such hour.
    select
        'first_response_hours_p90',
        case when p90_minutes < {{ unanswered_minutes }} then p90_minutes / 60 end,
        null,
        null,
        tickets
    from slowest_tickets

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

{{ config(materialized='view') }}
{%- set this_year = (var('as_of_date') | string)[:4] | int -%}

with

accounts as (

    select * from {{ ref('stg_customers') }}
    where not is_deleted

),

-- What an erased person told of itself is gone.
identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not is_erased

),

purchases as (

    select * from {{ ref('int_purchases__customers') }}

),

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

stages as (

    select * from {{ ref('int_lifecycle__current') }}

),

coverage as (

    select * from {{ ref('int_membership__coverage') }}

),

memberships as (

    select * from {{ ref('stg_memberships') }}
    where not is_deleted

),

-- A day that no calendar has is no birthday. Every day of one is in the year 2000, which was a leap year.
born as (

    select
        identity_map.customer_id,
        try_cast(
            '2000-' || lpad(cast(accounts.birth_month as {{ string_type() }}), 2, '0')
            || '-' || lpad(cast(accounts.birth_day as {{ string_type() }}), 2, '0') as date
        ) as day_in_2000,
        row_number() over (
            partition by identity_map.customer_id
            order by
                coalesce(accounts.updated_at, accounts.created_at) desc nulls last,
                identity_map.source_customer_id asc nulls last
        ) as recency
    from accounts
    inner join identity_map on accounts.customer_id = identity_map.source_customer_id
    where accounts.birth_month is not null and accounts.birth_day is not null

),

-- Whoever was born on 29 February has the birthday on the 28th in a common year: a greeting comes on the day or before.
birthdays as (

    select
        customer_id,
        {{ add_months('day_in_2000', 12 * (this_year - 2000)) }} as this_years,
        {{ add_months('day_in_2000', 12 * (this_year + 1 - 2000)) }} as next_years
    from born
    where recency = 1 and day_in_2000 is not null

),

-- Neither the reason nor a date tells the day: a birthday is personal, and a mart holds none.
birthday as (

    select
        customer_id,
        cast(null as date) as occasion_date,
        cast(null as {{ string_type() }}) as order_id,
        'Birthday within {{ audience_days("birthday") }} days.' as reason
    from birthdays
    where
        (
            this_years > {{ as_of_date() }}
            and this_years <= {{ add_days(as_of_date(), audience_days('birthday')) }}
        )
        or next_years <= {{ add_days(as_of_date(), audience_days('birthday')) }}

),

staged as (

    select
        purchases.customer_id,
        stages.lifecycle_stage,
        purchases.recency_days,
        purchases.last_ordered_date,
        occasions.first_order_id,
        occasions.days_since_previous
    from purchases
    inner join stages on purchases.customer_id = stages.customer_id
    inner join occasions
        on purchases.customer_id = occasions.customer_id
        and purchases.last_ordered_date = occasions.ordered_date
    where stages.lifecycle_stage in ('at_risk', 'lapsed', 'reactivated', 'vip')

),

reengagement as (

    select
        customer_id,
        last_ordered_date as occasion_date,
        cast(null as {{ string_type() }}) as order_id,
        'No order for ' || {{ count_in_words('recency_days', 'day', 'days') }} || case lifecycle_stage
            when 'lapsed' then ': lapsed.'
            else ': at risk of lapsing.'
        end as reason
    from staged
    where
        lifecycle_stage in ('at_risk', 'lapsed')
        and recency_days <= {{ audience_days('reengagement') }}

),

winback_reactivated as (

    select
        customer_id,
        last_ordered_date as occasion_date,
        first_order_id as order_id,
        'Came back on ' || {{ day_in_words('last_ordered_date') }} || ' after '
            || {{ count_in_words('days_since_previous', 'day', 'days') }} || ' without an order.' as reason
    from staged
    where
        lifecycle_stage = 'reactivated'
        and recency_days < {{ audience_days('winback_reactivated') }}

),

vip as (

    select
        customer_id,
        cast(null as date) as occasion_date,
        cast(null as {{ string_type() }}) as order_id,
        'An active customer of the best {{ (var("vip_share") * 100) | round | int }}% by margin so far; last order on '
            || {{ day_in_words('last_ordered_date') }} || '.' as reason
    from staged
    where lifecycle_stage = 'vip'

),

-- A month's term renews too often to be announced; who has cancelled renews nothing.
ending_terms as (

    select
        coverage.customer_id,
        coverage.program,
        coverage.billing_period,
        coverage.covered_until,
        row_number() over (
            partition by coverage.customer_id
            order by coverage.covered_until asc nulls last, coverage.membership_term_id asc nulls last
        ) as place
    from coverage
    inner join memberships on coverage.membership_id = memberships.membership_id
    where
        coverage.billing_period in ('annual', 'trial')
        and coverage.member_state in ('active', 'trial')
        and coverage.outcome = 'undecided'
        and coverage.cancel_requested_date is null
        and coalesce(memberships.status, 'active') not in ('cancel_scheduled', 'ended')
        and coverage.covered_until > {{ as_of_date() }}
        and coverage.covered_until <= {{ add_days(as_of_date(), audience_days('renewal')) }}

),

renewal as (

    select
        customer_id,
        {{ add_days('covered_until', -audience_days('renewal')) }} as occasion_date,
        cast(null as {{ string_type() }}) as order_id,
        case billing_period when 'trial' then 'The trial of ' else 'The year of ' end || program || ' ends on '
            || {{ day_in_words('covered_until') }} || ' and a paid term follows.' as reason
    from ending_terms
    where place = 1

),

final as (

    {% for audience in ['birthday', 'reengagement', 'winback_reactivated', 'vip', 'renewal'] -%}
    select
        '{{ audience }}' as audience,
        customer_id,
        occasion_date,
        order_id,
        cast(null as {{ string_type() }}) as variant_id,
        reason
    from {{ audience }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final

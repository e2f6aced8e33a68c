{%- set tonight = end_of_night() ~ ' - interval 1 second' -%}
{%- set ticket_day = add_days(as_of_date(), -var('audience_ticket_days')) -%}

with

audiences as (

    {{ audience_rows() }}
),

candidates as (

    select * from {{ ref('int_audiences__of_customers') }}
    union all
    select * from {{ ref('int_audiences__of_orders') }}
    union all
    select * from {{ ref('int_audiences__of_visits') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

addresses as (

    select * from {{ ref('int_identity__accounts') }}
    where email_key is not null

),

consents as (

    select * from {{ ref('int_consents__history') }} as spells
    where {{ holds_at('spells', tonight) }}

),

-- Without consents nobody has agreed, as far as anybody can prove; without addresses the sender knows them by the account.
delivered_sources as (

    select
        (select count(*) from {{ ref('int_consents__history') }} where source_table = 'consents') > 0 as has_consents,
        (select count(*) from addresses) > 0 as has_addresses

),

tickets as (

    select * from {{ ref('fct_support_tickets') }}
    where
        opened_date > {{ ticket_day }}
        or {{ shop_day('resolved_at') }} > {{ ticket_day }}
        or (not is_resolved and opened_date > {{ add_days(as_of_date(), -var('audience_open_ticket_days')) }})

),

messages as (

    select * from {{ ref('fct_messages') }}
    where is_sent and customer_id is not null

),

draws as (

    select * from {{ ref('fct_experiment_assignments') }}
    where is_holdout and customer_id is not null

),

experiments as (

    select * from {{ ref('stg_experiments') }}
    where
        not is_deleted
        and coalesce(end_at >= {{ end_of_night() }}, true)

),

campaigns as (

    select * from {{ ref('stg_campaigns') }}
    where not is_deleted

),

listed as (

    select
        audiences.*,
        candidates.customer_id,
        candidates.occasion_date,
        candidates.order_id,
        candidates.variant_id,
        candidates.reason
    from candidates
    inner join audiences on candidates.audience = audiences.audience

),

people as (

    select
        identity_map.customer_id,
        bool_or(identity_map.is_test) as is_test,
        bool_or(identity_map.is_erased) as is_erased,
        bool_or(addresses.source_customer_id is not null) as has_address
    from identity_map
    left join addresses on identity_map.source_customer_id = addresses.source_customer_id
    group by 1

),

-- The words that decide: the one about the purpose, and every no that reaches it all the same.
words as (

    select
        listed.audience,
        listed.customer_id,
        consents.consent_event_id,
        consents.source_table,
        consents.purpose,
        consents.status,
        consents.is_granted,
        row_number() over (
            partition by listed.audience, listed.customer_id
            order by
                case when consents.is_granted then 1 else 0 end asc nulls last,
                case when consents.purpose = listed.purpose then 0 else 1 end asc nulls last,
                consents.purpose asc nulls last
        ) as place
    from listed
    inner join consents
        on listed.customer_id = consents.customer_id
        and listed.channel = consents.channel
        and (
            listed.purpose = consents.purpose
            or (
                consents.status in ('withdrawn', 'complained')
                and (consents.purpose = 'marketing' or (listed.is_profiled and consents.purpose = 'profiling'))
            )
        )

),

recent_tickets as (

    select
        customer_id,
        max(opened_date) as opened_date
    from tickets
    where customer_id is not null
    group by 1

),

recent_messages as (

    select
        customer_id,
        count(case when channel <> 'ads' then 1 end) as message_count,
        count(case when channel = 'ads' then 1 end) as advertisement_count
    from messages
    where
        not is_transactional
        and message_date > {{ add_days(as_of_date(), -var('audience_frequency_days')) }}
    group by 1

),

-- What has gone out to an audience, told by the sender's own list or by the flow that is the same message.
own_messages as (

    select
        customer_id,
        audience,
        max(message_date) as message_date
    from (
        select
            messages.customer_id,
            audiences.audience,
            messages.message_date
        from messages
        inner join audiences on messages.audience_id = audiences.audience
        union all
        select
            messages.customer_id,
            audiences.audience,
            messages.message_date
        from messages
        inner join audiences on messages.flow_type = audiences.flow_type
    ) as written
    group by 1, 2

),

-- Whom a running experiment keeps out of every message, or of the flow, the audience keeps out too.
experiment_holdouts as (

    select
        draws.customer_id,
        coalesce(audiences.audience, 'everything') as scope,
        min(draws.experiment_id) as experiment_id
    from draws
    inner join experiments on draws.experiment_id = experiments.experiment_id
    left join campaigns on experiments.campaign_id = campaigns.campaign_id
    left join audiences on campaigns.flow_type = audiences.flow_type
    where experiments.campaign_id is null or audiences.audience is not null
    group by 1, 2

),

known as (

    select
        listed.*,
        coalesce(people.is_test, false) as is_test,
        coalesce(people.is_erased, false) as is_erased,
        coalesce(people.has_address, false) or not delivered_sources.has_addresses as has_address,
        words.consent_event_id,
        words.source_table as consent_source_table,
        words.purpose as consent_purpose,
        words.status as consent_status,
        coalesce(words.is_granted, false) as is_consented,
        delivered_sources.has_consents,
        recent_tickets.opened_date as ticket_date,
        coalesce(
            case when listed.channel = 'ads' then recent_messages.advertisement_count else recent_messages.message_count end,
            0
        ) as message_count,
        case
            when own_messages.message_date >= coalesce(
                listed.occasion_date, {{ add_days(as_of_date(), '-listed.window_days') }}
            ) then own_messages.message_date
        end as written_date,
        coalesce(experiments_of_all.experiment_id, experiments_of_one.experiment_id) as experiment_id,
        case
            when listed.is_transactional then null
            when {{ is_held_out("'everything'", var('holdout_share'), 'listed.customer_id') }} then 'everything'
            when {{ holdout_lot('listed.audience', 'listed.customer_id') }} < listed.holdout_limit then 'audience'
            when experiments_of_all.experiment_id is not null or experiments_of_one.experiment_id is not null
                then 'experiment'
        end as holdout_scope

    from listed
    cross join delivered_sources
    left join people on listed.customer_id = people.customer_id
    left join words
        on listed.audience = words.audience
        and listed.customer_id = words.customer_id
        and words.place = 1
    left join recent_tickets on listed.customer_id = recent_tickets.customer_id
    left join recent_messages on listed.customer_id = recent_messages.customer_id
    left join own_messages
        on listed.customer_id = own_messages.customer_id
        and listed.audience = own_messages.audience
    left join experiment_holdouts as experiments_of_all
        on listed.customer_id = experiments_of_all.customer_id
        and experiments_of_all.scope = 'everything'
    left join experiment_holdouts as experiments_of_one
        on listed.customer_id = experiments_of_one.customer_id
        and listed.audience = experiments_of_one.scope

),

-- One reason each, from what will never change to what may be otherwise tomorrow (DECISIONS.md, "Whom we write to").
judged as (

    select
        *,
        case
            when is_test then 'test_account'
            when is_erased then 'erased'
            when not has_address or consent_status = 'bounced' then 'no_channel'
            when not is_transactional and not is_consented then 'no_consent'
            when not is_transactional and ticket_date is not null then 'recent_ticket'
            when written_date is not null then 'frequency_cap'
            when is_transactional then null
            when channel = 'ads' and message_count >= {{ var('audience_advertisements_max') }} then 'frequency_cap'
            when channel <> 'ads' and message_count >= {{ var('audience_messages_max') }} then 'frequency_cap'
        end as barrier
    from known

),

-- The evening's one message is chosen before the holdout: those who are held out of it are then like those who get it,
-- and no second choice takes its place.
chosen as (

    select
        *,
        row_number() over evening as place_of_evening,
        first_value(audience) over evening as audience_of_evening
    from judged
    window evening as (
        partition by customer_id, is_transactional, barrier is null order by priority asc nulls last
    )

),

decided as (

    select
        *,
        case
            when barrier is not null then barrier
            when is_transactional then null
            when place_of_evening > 1 then 'frequency_cap'
            when holdout_scope is not null then 'holdout'
        end as exclusion_reason
    from chosen

),

final as (

    select
        -- keys
        audience,
        customer_id,
        order_id,
        variant_id,
        case when not is_transactional or consent_status = 'bounced' then consent_event_id end as consent_event_id,
        case when not is_transactional or consent_status = 'bounced' then consent_source_table end as consent_source_table,

        -- attributes
        cast(priority as integer) as priority,
        channel,
        offer,
        reason,
        case when not is_transactional then case when holdout_scope is null then 'treated' else 'holdout' end end as arm,
        holdout_scope,
        exclusion_reason,
        case exclusion_reason
            when 'test_account' then 'An account of the shop itself.'
            when 'erased' then 'The person was erased.'
            when 'no_channel' then case
                when has_address then 'The last message came back: the mailbox is closed.'
                else 'No e-mail address is known.'
            end
            when 'no_consent' then case
                when not has_consents then 'The shop delivers no consents.'
                when consent_event_id is null then 'Never agreed to it.'
                else 'The last word on ' || replace(consent_purpose, '_', ' ') || ' was: ' || consent_status || '.'
            end
            when 'recent_ticket' then 'A ticket of ' || {{ day_in_words('ticket_date') }} || ' is open or was a short while ago.'
            when 'frequency_cap' then case
                when written_date is not null
                    then 'Written to about it on ' || {{ day_in_words('written_date') }} || '.'
                when barrier is not null
                    then {{ count_in_words('message_count', 'message', 'messages') }}
                        || ' in {{ var("audience_frequency_days") }} days are enough.'
                else 'Another audience has the evening: ' || audience_of_evening || '.'
            end
            when 'holdout' then case holdout_scope
                when 'everything' then 'Kept out of every message, to measure what messages add.'
                when 'audience' then 'Kept out of this audience, to measure what it adds.'
                else 'Kept out by experiment ' || experiment_id || '.'
            end
        end as explanation,

        -- flags
        exclusion_reason is null as is_included,
        is_transactional,

        -- times
        occasion_date,
        {{ as_of_date() }} as as_of_date

    from decided

)

select * from final

with

consents as (

    select * from {{ ref('stg_consents') }}
    where
        not is_deleted
        and {{ is_known('event_at') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where
        not is_test
        and not is_erased

),

-- A bounce is not among them: the mailbox may only be full, and which bounce closes it says a consent `bounced`.
refusals as (

    select * from {{ ref('stg_message_events') }}
    where
        not is_deleted
        and event_type in ('unsubscribe', 'complaint')
        and {{ is_known('event_at') }}

),

campaigns as (

    select * from {{ ref('stg_campaigns') }} -- tombstones wanted: a stop is one, whatever became of its campaign

),

privacy_requests as (

    select * from {{ ref('stg_privacy_requests') }}
    where
        not is_deleted
        and {{ is_known('received_at') }}

),

every_channel as (

    {% for channel in consent_channels() -%}
    select '{{ channel }}' as channel
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

every_purpose as (

    {% for purpose in consent_purposes() -%}
    select '{{ purpose }}' as purpose
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Not every shop writes a consent when a message is refused or a request comes in, and the no is said all the same.
spoken as (

    select
        customer_id,
        'consents' as source_table,
        consent_event_id,
        channel,
        purpose,
        status,
        legal_basis,
        jurisdiction,
        event_at
    from consents

    union all

    select
        refusals.customer_id,
        'message_events' as source_table,
        refusals.message_event_id as consent_event_id,
        every_channel.channel,
        'marketing' as purpose,
        case when refusals.event_type = 'complaint' then 'complained' else 'withdrawn' end as status,
        cast(null as {{ string_type() }}) as legal_basis,
        cast(null as {{ string_type() }}) as jurisdiction,
        refusals.event_at
    from refusals
    left join campaigns on refusals.campaign_id = campaigns.campaign_id
    -- A stop of which nobody knows the channel is a stop of all.
    inner join every_channel on every_channel.channel = coalesce(campaigns.channel, every_channel.channel)

    union all

    select
        privacy_requests.customer_id,
        'privacy_requests' as source_table,
        privacy_requests.request_id as consent_event_id,
        every_channel.channel,
        every_purpose.purpose,
        'withdrawn' as status,
        cast(null as {{ string_type() }}) as legal_basis,
        cast(null as {{ string_type() }}) as jurisdiction,
        privacy_requests.received_at as event_at
    from privacy_requests
    cross join every_channel
    cross join every_purpose
    where
        {{ request_ends_consent('privacy_requests.request_type', 'every_channel.channel', 'every_purpose.purpose')
            | indent(8) }}

),

words as (

    select
        identity_map.customer_id,
        spoken.customer_id as source_customer_id,
        spoken.source_table,
        spoken.consent_event_id,
        spoken.channel,
        spoken.purpose,
        spoken.status,
        spoken.legal_basis,
        spoken.jurisdiction,
        spoken.event_at
    from spoken
    inner join identity_map on spoken.customer_id = identity_map.source_customer_id

),

purposes as (

    select distinct
        source_customer_id,
        channel,
        purpose
    from words

),

-- A mailbox that bounces or complains is closed for every purpose that it was open for.
words_by_purpose as (

    select * from words
    where status not in ('bounced', 'complained')

    union all

    select
        words.customer_id,
        words.source_customer_id,
        words.source_table,
        words.consent_event_id,
        words.channel,
        purposes.purpose,
        words.status,
        words.legal_basis,
        words.jurisdiction,
        words.event_at
    from words
    inner join purposes
        on words.source_customer_id = purposes.source_customer_id
        and words.channel = purposes.channel
    where words.status in ('bounced', 'complained')

),

ranked as (

    select
        *,
        {{ consent_rank('status') }} as restrictiveness,
        row_number() over (
            partition by source_customer_id, channel, purpose, event_at
            -- A consent that was delivered with the click or the request is the better proof: `consents` comes first.
            order by
                {{ consent_rank('status') }} asc nulls last,
                source_table asc nulls last,
                consent_event_id asc nulls last
        ) as word_of_the_moment
    from words_by_purpose

),

account_spells as (

    select
        *,
        lead(event_at) over (
            partition by source_customer_id, channel, purpose order by event_at asc nulls last
        ) as next_event_at
    from ranked
    where word_of_the_moment = 1

),

moments as (

    select distinct
        customer_id,
        channel,
        purpose,
        event_at as moment
    from account_spells

),

-- Each account's last word counts, and of several accounts the most restrictive one: what was refused under one address
-- is not allowed by an older or newer yes under another.
decided as (

    select
        account_spells.*,
        moments.moment,
        row_number() over (
            partition by moments.customer_id, moments.channel, moments.purpose, moments.moment
            order by
                account_spells.restrictiveness asc nulls last,
                account_spells.event_at desc nulls last,
                account_spells.source_table asc nulls last,
                account_spells.consent_event_id asc nulls last
        ) as place
    from moments
    inner join account_spells
        on moments.customer_id = account_spells.customer_id
        and moments.channel = account_spells.channel
        and moments.purpose = account_spells.purpose
        and moments.moment >= account_spells.event_at
        and coalesce(moments.moment < account_spells.next_event_at, true)

),

steps as (

    select
        *,
        lag(consent_event_id) over (
            partition by customer_id, channel, purpose order by moment asc nulls last
        ) as previous_consent_event_id,
        lag(source_table) over (
            partition by customer_id, channel, purpose order by moment asc nulls last
        ) as previous_source_table
    from decided
    where place = 1

),

final as (

    select
        -- keys
        customer_id,
        channel,
        purpose,
        consent_event_id,
        source_table,

        -- attributes
        status,
        legal_basis,
        jurisdiction,

        -- flags
        status = 'granted' as is_granted,

        -- times
        moment as valid_from,
        lead(moment) over (
            partition by customer_id, channel, purpose order by moment asc nulls last
        ) as valid_to

    from steps
    where coalesce(consent_event_id <> previous_consent_event_id or source_table <> previous_source_table, true)

)

select * from final

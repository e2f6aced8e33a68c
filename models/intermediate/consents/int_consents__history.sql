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

words as (

    select
        identity_map.customer_id,
        consents.customer_id as source_customer_id,
        consents.consent_event_id,
        consents.channel,
        consents.purpose,
        consents.status,
        consents.legal_basis,
        consents.jurisdiction,
        consents.event_at
    from consents
    inner join identity_map on consents.customer_id = identity_map.source_customer_id

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
            order by {{ consent_rank('status') }} asc nulls last, consent_event_id asc nulls last
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
        ) as previous_consent_event_id
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
    where coalesce(consent_event_id <> previous_consent_event_id, true)

)

select * from final

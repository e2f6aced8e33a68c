with

message_events as (

    select * from {{ ref('stg_message_events') }}
    where
        not is_deleted
        and {{ is_known('event_at') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where not is_erased

),

campaigns as (

    select * from {{ ref('stg_campaigns') }}
    where not is_deleted

),

consents as (

    select * from {{ ref('int_consents__history') }}
    where purpose = 'marketing'

),

-- A shop that delivers no consents says nothing about them, which is no refusal. Who unsubscribes from it has refused.
consents_delivered as (

    select count(*) filter (where source_table = 'consents') > 0 as are_consents_known from consents

),

messages as (

    select
        message_id,
        min(campaign_id) as campaign_id,
        min(customer_id) as source_customer_id,
        min(audience_id) as audience_id,
        -- What was delivered, read or refused has been sent, whatever event is missing.
        min(case when event_type <> 'suppressed' then event_at end) as sent_at,
        min(case when event_type in ('delivered', 'open', 'click', 'complaint', 'unsubscribe') then event_at end)
            as delivered_at,
        min(case when event_type = 'open' and is_machine_open then event_at end) as first_machine_opened_at,
        min(case when event_type = 'open' and not is_machine_open then event_at end) as first_human_opened_at,
        min(case when event_type = 'click' then event_at end) as first_clicked_at,
        min(case when event_type = 'bounce' then event_at end) as bounced_at,
        min(case when event_type = 'complaint' then event_at end) as complained_at,
        min(case when event_type = 'unsubscribe' then event_at end) as unsubscribed_at,
        min(case when event_type = 'suppressed' then event_at end) as suppressed_at,
        cast(count(*) filter (where event_type = 'open' and is_machine_open is null) as bigint) as unknown_open_count,
        cast(count(*) filter (where event_type = 'click') as bigint) as click_count

    from message_events
    group by 1

),

described as (

    select
        messages.*,
        -- What a message is answered with ends what follows and not the message itself, be it in one second: where no sending
        -- is delivered, its moment is that of the answer.
        case
            when messages.sent_at = messages.unsubscribed_at or messages.sent_at = messages.complained_at
                then messages.sent_at - interval 1 second
            else messages.sent_at
        end as consented_at,
        identity_map.customer_id,
        campaigns.campaign_type,
        campaigns.flow_type,
        campaigns.channel,
        campaigns.cost_per_message,
        coalesce(campaigns.is_transactional, false) as is_transactional

    from messages
    left join identity_map on messages.source_customer_id = identity_map.source_customer_id
    left join campaigns on messages.campaign_id = campaigns.campaign_id
    where not coalesce(identity_map.is_test, false)

),

with_consent as (

    select
        described.*,
        case
            -- Of who is unknown or erased, and of a campaign without a channel, nobody can say.
            when described.sent_at is not null and described.channel is not null and described.customer_id is not null
                then coalesce(consents.is_granted, case when consents_delivered.are_consents_known then false end)
        end as had_consent

    from described
    cross join consents_delivered
    left join consents
        on described.customer_id = consents.customer_id
        and described.channel = consents.channel
        and {{ holds_at('consents', 'described.consented_at') }}

),

final as (

    select
        -- keys
        message_id,
        campaign_id,
        customer_id,
        audience_id,

        -- measures
        click_count,
        cast(case when sent_at is not null then cost_per_message end as decimal(18, 2)) as cost_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- attributes
        coalesce(campaign_type, 'unknown') as campaign_type,
        flow_type,
        coalesce(channel, 'unknown') as channel,

        -- flags
        is_transactional,
        sent_at is not null as is_sent,
        delivered_at is not null as is_delivered,
        first_human_opened_at is not null as is_opened_by_human,
        first_machine_opened_at is not null as is_opened_by_machine,
        unknown_open_count > 0 as is_opened_by_unknown,
        first_clicked_at is not null as is_clicked,
        bounced_at is not null as is_bounced,
        complained_at is not null as is_complained,
        unsubscribed_at is not null as is_unsubscribed,
        suppressed_at is not null and sent_at is null as is_suppressed,
        had_consent,
        case
            when is_transactional then false
            else not had_consent
        end as is_sent_without_consent,

        -- times
        sent_at,
        delivered_at,
        first_human_opened_at,
        first_machine_opened_at,
        first_clicked_at,
        bounced_at,
        complained_at,
        unsubscribed_at,
        {{ shop_day('coalesce(sent_at, suppressed_at)') }} as message_date,
        {{ as_of_date() }} as as_of_date

    from with_consent

)

select * from final

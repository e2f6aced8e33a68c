-- Each customer gets one advertisement an evening at most, none beyond the cap, none with a fresh ticket, and none where the
-- draw keeps the customer out of everything.
with

advertised as (

    select * from {{ ref('fct_audience_members') }}
    where is_included and not is_transactional

),

messages as (

    select
        customer_id,
        case when channel = 'ads' then 'ads' else 'email' end as channel,
        count(*) as message_count
    from {{ ref('fct_messages') }}
    where
        is_sent
        and not is_transactional
        and {{ days_between('message_date', as_of_date()) }} < {{ var('audience_frequency_days') }}
    group by 1, 2

),

tickets as (

    select * from {{ ref('fct_support_tickets') }}
    where {{ days_between('opened_date', as_of_date()) }} < {{ var('audience_ticket_days') }}

)

select
    customer_id,
    'several messages on one evening' as what_is_wrong
from advertised
group by 1
having count(*) > 1

union all

select
    advertised.customer_id,
    'more messages than are enough' as what_is_wrong
from advertised
inner join messages
    on advertised.customer_id = messages.customer_id
    and advertised.channel = messages.channel
where messages.message_count >= case advertised.channel
    when 'ads' then {{ var('audience_advertisements_max') }}
    else {{ var('audience_messages_max') }}
end

union all

select
    advertised.customer_id,
    'a fresh ticket' as what_is_wrong
from advertised
inner join tickets on advertised.customer_id = tickets.customer_id

union all

select
    customer_id,
    'held out of everything' as what_is_wrong
from advertised
where {{ is_held_out("'everything'", var('holdout_share'), 'customer_id') }}

-- Every ticket is in exactly one month, channel and team, and under one reason of each breakdown; its compensation with it.
with

tickets as (

    select
        count(*) as tickets,
        coalesce(sum(compensation_amount), 0) as compensation_amount
    from {{ ref('fct_support_tickets') }}

),

wholes as (

    select
        'channels, all' as rows_of,
        coalesce(sum(tickets), 0) as tickets,
        coalesce(sum(compensation_amount), 0) as compensation_amount
    from {{ ref('fct_support_channel_months') }}
    where channel = 'all' and agent_group = 'all'

    union all

    select
        'channels and teams' as rows_of,
        coalesce(sum(tickets), 0) as tickets,
        coalesce(sum(compensation_amount), 0) as compensation_amount
    from {{ ref('fct_support_channel_months') }}
    where channel <> 'all' and agent_group <> 'all'

    {% for breakdown in ['all', 'category', 'carrier'] %}
    union all

    select
        'reasons by {{ breakdown }}' as rows_of,
        coalesce(sum(tickets), 0) as tickets,
        coalesce(sum(compensation_amount), 0) as compensation_amount
    from {{ ref('fct_contact_drivers') }}
    where reason_code <> 'all' and breakdown = '{{ breakdown }}'
    {% endfor %}

)

select
    wholes.rows_of,
    wholes.tickets,
    tickets.tickets as tickets_in_fct_support_tickets,
    wholes.compensation_amount,
    tickets.compensation_amount as compensation_in_fct_support_tickets

from wholes
cross join tickets
where wholes.tickets <> tickets.tickets or wholes.compensation_amount <> tickets.compensation_amount

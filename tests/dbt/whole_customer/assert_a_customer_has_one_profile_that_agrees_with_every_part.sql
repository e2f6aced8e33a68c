-- Every living customer once, and sums of the profile that are those of the tables behind it.
with

profiles as (

    select * from {{ ref('dim_customer_360') }}

),

customers as (

    select * from {{ ref('dim_customers') }}
    where not is_erased

),

sums as (

    select
        'customers and their net amount' as part,
        (select count(*) from profiles) as profile_count,
        (select count(*) from customers) as part_count,
        (select sum(net_amount) from profiles) as profile_sum,
        (select sum(net_amount) from customers) as part_sum

    union all

    select
        'tickets of 90 days',
        0,
        0,
        (select coalesce(sum(ticket_count_90d), 0) from profiles),
        (
            select count(*) from {{ ref('fct_customer_timeline') }}
            where event_type = 'ticket_opened' and event_date > {{ add_days(as_of_date(), -90) }}
        )

    union all

    select
        'current consents to e-mail marketing',
        (select count(*) from profiles where has_email_consent),
        (
            select count(*) from {{ ref('fct_consents') }}
            where is_current and is_granted and channel = 'email' and purpose = 'marketing'
        ),
        0,
        0

    union all

    select
        'members and former members',
        (select count(*) from profiles where has_been_member),
        (
            select count(distinct customer_id) from {{ ref('fct_membership_terms') }}
            where spell_number is not null and customer_id in (select customer_id from customers)
        ),
        0,
        0

)

select * from sums
where
    profile_count <> part_count
    or coalesce(profile_sum, 0) <> coalesce(part_sum, 0)

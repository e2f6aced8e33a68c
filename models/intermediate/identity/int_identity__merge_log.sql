{#- When a person's accounts became one. A value, or an account, knows from a moment on of an account that is older than
    all it knew before: those steps are kept, and handed on with the later of the two moments. -#}

with

numbered as (

    select * from {{ ref('int_identity__numbered') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

links as (

    select
        *,
        -- What has no date was always so.
        coalesce(seen_at, timestamp '0001-01-01 00:00:00') as held_since,
        coalesce(first_seen_at, timestamp '0001-01-01 00:00:00') as account_since
    from {{ ref('int_identity__links') }}

),

accounts_0 as (

    select
        account_number,
        min(account_since) as since,
        account_number as label
    from links
    group by 1

),

{% for round in range(1, identity_rounds() + 1) -%}
values_{{ round }} as (

    select link_number, since, label
    from (
        select
            links.link_number,
            greatest(links.held_since, accounts.since) as since,
            accounts.label
        from links
        inner join accounts_{{ round - 1 }} as accounts on links.account_number = accounts.account_number
    ) as heard
    qualify {{ is_older_than_all_before('link_number') }}

),

accounts_{{ round }} as (

    select account_number, since, label
    from (
        select * from accounts_0
        union all
        select
            links.account_number,
            greatest(links.held_since, known.since) as since,
            known.label
        from links
        inner join values_{{ round }} as known on links.link_number = known.link_number
    ) as heard
    qualify {{ is_older_than_all_before('account_number') }}

),

{% endfor -%}
stays as (

    select
        account_number,
        label,
        since,
        lag(label) over account_steps as previous_label,
        lead(since) over account_steps as valid_to
    from accounts_{{ identity_rounds() }}
    window account_steps as (partition by account_number order by since asc nulls last)

),

-- The account's own links that were known by then.
rules_of_stays as (

    select
        stays.account_number,
        stays.since,
        links.identity_rule,
        {{ identity_rule_rank('links.identity_rule') }} as rule_rank
    from stays
    inner join links
        on stays.account_number = links.account_number
        and coalesce(links.linked_at, links.held_since) <= stays.since
    group by 1, 2, 3, 4

),

reasons as (

    select
        account_number,
        since,
        min(rule_rank) as rule_rank,
        {{ sorted_words('identity_rule') }} as linking_rules
    from rules_of_stays
    group by 1, 2

),

final as (

    select
        -- keys
        numbered.source_customer_id,
        nullif(stays.since, timestamp '0001-01-01 00:00:00') as valid_from,
        stays.valid_to,
        identity_map.customer_id,
        numbered.public_id as account_id,
        joined.public_id as joined_customer_id,
        previous.public_id as previous_customer_id,

        -- attributes
        {{ identity_rule_of_rank('reasons.rule_rank') }} as identity_rule,
        reasons.linking_rules,
        {{ of_identity_rule(identity_rule_of_rank('reasons.rule_rank'), 'confidence') }} as confidence,

        -- flags
        stays.valid_to is null as is_current,
        identity_map.is_erased

    from stays
    inner join numbered on stays.account_number = numbered.account_number
    inner join numbered as joined on stays.label = joined.account_number
    inner join identity_map on numbered.source_customer_id = identity_map.source_customer_id
    left join numbered as previous on stays.previous_label = previous.account_number
    left join reasons
        on stays.account_number = reasons.account_number
        and stays.since = reasons.since
    -- Its own first account is no merge.
    where stays.label <> numbered.account_number

)

select * from final

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
        source_customer_id,
        min(account_since) as since,
        min(account_number) as label
    from links
    group by 1

),

{% for round in range(1, identity_rounds() + 1) -%}
values_{{ round }} as (

    select link_key, since, label
    from (
        select
            links.link_key,
            greatest(links.held_since, accounts.since) as since,
            accounts.label
        from links
        inner join accounts_{{ round - 1 }} as accounts on links.source_customer_id = accounts.source_customer_id
    ) as heard
    qualify {{ is_older_than_all_before('link_key') }}

),

accounts_{{ round }} as (

    select source_customer_id, since, label
    from (
        select * from accounts_0
        union all
        select
            links.source_customer_id,
            greatest(links.held_since, known.since) as since,
            known.label
        from links
        inner join values_{{ round }} as known on links.link_key = known.link_key
    ) as heard
    qualify {{ is_older_than_all_before('source_customer_id') }}

),

{% endfor -%}
stays as (

    select
        source_customer_id,
        label,
        since,
        lag(label) over account_steps as previous_label,
        lead(since) over account_steps as valid_to
    from accounts_{{ identity_rounds() }}
    window account_steps as (partition by source_customer_id order by since asc nulls last)

),

-- The account's own links that were known by then.
rules_of_stays as (

    select
        stays.source_customer_id,
        stays.since,
        links.identity_rule,
        {{ identity_rule_rank('links.identity_rule') }} as rule_rank
    from stays
    inner join links
        on stays.source_customer_id = links.source_customer_id
        and coalesce(links.linked_at, links.held_since) <= stays.since
    group by 1, 2, 3, 4

),

reasons as (

    select
        source_customer_id,
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
    inner join numbered on stays.source_customer_id = numbered.source_customer_id
    inner join numbered as joined on stays.label = joined.account_number
    inner join identity_map on stays.source_customer_id = identity_map.source_customer_id
    left join numbered as previous on stays.previous_label = previous.account_number
    left join reasons
        on stays.source_customer_id = reasons.source_customer_id
        and stays.since = reasons.since
    -- Its own first account is no merge.
    where stays.label <> numbered.account_number

)

select * from final

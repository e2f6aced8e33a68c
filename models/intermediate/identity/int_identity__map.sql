with

numbered as (

    select * from {{ ref('int_identity__numbered') }}

),

links as (

    select * from {{ ref('int_identity__links') }}

),

erasures as (

    select * from {{ ref('int_identity__erasures') }}

),

round_0 as (

    select
        account_number,
        link_number,
        account_number as label
    from links

),

{% for round in range(1, identity_rounds() + 1) -%}
-- Every value takes the smallest label of its accounts, every account the smallest of its values.
values_{{ round }} as (

    select
        account_number,
        link_number,
        min(label) over (partition by link_number) as label
    from round_{{ round - 1 }}

),

round_{{ round }} as (

    select
        account_number,
        link_number,
        min(label) over (partition by account_number) as label
    from values_{{ round }}

),

{% endfor -%}
merged as (

    select
        account_number,
        min(label) as label
    from round_{{ identity_rounds() }}
    group by 1

),

-- the surest of the account's own links
rules as (

    select
        account_number,
        min({{ identity_rule_rank('identity_rule') }}) as rule_rank
    from links
    group by 1

),

people as (

    select
        numbered.*,
        coalesce(merged.label, numbered.account_number) as person_number,
        rules.rule_rank
    from numbered
    left join merged on numbered.account_number = merged.account_number
    left join rules on numbered.account_number = rules.account_number

),

-- One account that is erased takes the person along.
erased_people as (

    select
        people.person_number,
        min_by(erasures.erased_key, erasures.erased_at) as erased_key
    from people
    inner join erasures on people.source_customer_id = erasures.source_customer_id
    group by 1

),

final as (

    select
        -- keys
        people.source_customer_id,
        coalesce(erased_people.erased_key, person.public_id) as customer_id,

        -- attributes
        case
            when people.rule_rank is null then 'own_account'
            when people.account_number = people.person_number then 'first_account'
            else {{ identity_rule_of_rank('people.rule_rank') }}
        end as identity_rule,

        -- flags
        people.is_test,
        erased_people.person_number is not null as is_erased,

        -- times
        people.first_seen_at

    from people
    inner join numbered as person on people.person_number = person.account_number
    left join erased_people on people.person_number = erased_people.person_number

)

select * from final

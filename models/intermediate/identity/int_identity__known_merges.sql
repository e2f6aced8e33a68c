{#- What the warehouse has believed since which night. Only what is new tonight is added, and a night that is run again
    replaces its own words, so history is kept and never made anew; a look back at a day before the newest night leaves no
    trace. -#}
{{ config(
    materialized=grows_by_delivery(),
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{% if is_incremental() %}delete from {{ this }} where known_as_of_date = {{ as_of_date() }}{% endif %}"
) }}

with

accounts as (

    select
        numbered.source_customer_id,
        numbered.public_id,
        coalesce(merges.joined_customer_id, numbered.public_id) as person_id
    from {{ ref('int_identity__numbered') }} as numbered
    left join {{ ref('int_identity__merge_log') }} as merges
        on numbered.source_customer_id = merges.source_customer_id
        and merges.is_current

),

{% if is_incremental() -%}
believed as (

    select
        source_customer_id,
        max_by(person_id, known_as_of_date) as person_id
    from {{ this }}
    where known_as_of_date < {{ as_of_date() }}
    group by 1

),
{%- else -%}
believed as (

    select
        source_customer_id,
        person_id
    from accounts
    where false

),
{%- endif %}

final as (

    select
        -- keys
        accounts.source_customer_id,
        accounts.person_id,

        -- times
        {{ as_of_date() }} as known_as_of_date

    from accounts
    left join believed on accounts.source_customer_id = believed.source_customer_id
    -- An account that was never heard of is a person of its own.
    where
        accounts.person_id <> coalesce(believed.person_id, accounts.public_id)
        {% if is_incremental() -%}
        and {{ as_of_date() }} >= (
            select coalesce(max(kept.known_as_of_date), {{ as_of_date() }}) from {{ this }} as kept
        )
        {%- endif %}

)

select * from final

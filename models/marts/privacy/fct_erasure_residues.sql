with

identity_map as (

    select * from {{ ref('int_identity__map') }}
    where is_erased

),

accounts as (

    select * from {{ ref('int_identity__numbered') }}

),

-- Everything that the person was ever called: the accounts as delivered and, of a guest, the name made of an order.
names as (

    select
        customer_id,
        source_customer_id as person_name
    from identity_map

    union

    select
        identity_map.customer_id,
        accounts.public_id as person_name
    from identity_map
    inner join accounts on identity_map.source_customer_id = accounts.source_customer_id

),

found as (

    {% for mart in marts_about_customers() -%}
    {% set is_last_mart = loop.last -%}
    {% for column in names_of_persons(mart) -%}
    select
        '{{ mart }}' as mart_name,
        cast({{ column }} as {{ string_type() }}) as person_name
    from {{ ref(mart) }}
    where {{ column }} in (select person_name from names)
    {% if not (is_last_mart and loop.last) %}
    union all

    {% endif -%}
    {% endfor -%}
    {% endfor %}
),

final as (

    select
        -- keys
        names.customer_id,
        found.mart_name,

        -- measures
        cast(count(*) as bigint) as row_count,

        -- times
        {{ as_of_date() }} as as_of_date

    from found
    inner join names on found.person_name = names.person_name
    group by 1, 2

)

select * from final

{{ config(materialized='table', schema='quarantine', alias='rows') }}

{#- One list for all sources: add the table here when the contract grows (a test compares the two). -#}
{%- set sources = {
    'customers': {'base': ref('base_customers')},
    'products': {'base': ref('base_products')},
    'product_costs': {'base': ref('base_product_costs')},
    'orders': {'base': ref('base_orders')},
    'order_lines': {'base': ref('base_order_lines'), 'parents': {'orders': ref('stg_orders')}},
    'shipments': {'base': ref('base_shipments'), 'parents': {'orders': ref('stg_orders')}},
    'returns': {'base': ref('base_returns'), 'parents': {'orders': ref('stg_orders')}},
    'return_items': {'base': ref('base_return_items'), 'parents': {
        'returns': ref('stg_returns'), 'order_lines': ref('stg_order_lines')}},
    'refunds': {'base': ref('base_refunds'), 'parents': {'orders': ref('stg_orders')}},
    'memberships': {'base': ref('base_memberships')},
    'membership_terms': {'base': ref('base_membership_terms'), 'parents': {'memberships': ref('stg_memberships')}},
    'membership_benefit_usage': {'base': ref('base_membership_benefit_usage'), 'parents': {
        'memberships': ref('stg_memberships')}},
} -%}

with

{% for table, relations in sources.items() -%}
-- A row that breaks a rule of its own may lack its parent too: every reason is named.
rejected_{{ table }} as (

    {{ linked(table, relations.base, relations.parents, rows='_problems is not null') }}

),

{% if relations.parents -%}
newest_{{ table }} as (

    {{ linked(table, relations.base, relations.parents) }}

),

{% endif -%}
quarantined_{{ table }} as (

    select
        '{{ table }}' as source_table,
        _key as source_key,
        concat_ws('; ', _problems, _link_problems) as reasons,
        _raw_text as raw_text,
        _source as source_file,
        _batch_id as batch_id,
        _row_number as row_number,
        _loaded_at as loaded_at
    from rejected_{{ table }}
    {% if relations.parents -%}

    union all

    select
        '{{ table }}' as source_table,
        _key as source_key,
        _link_problems as reasons,
        {{ row_in_words(table) }} as raw_text,
        _source as source_file,
        _batch_id as batch_id,
        _row_number as row_number,
        _loaded_at as loaded_at
    from newest_{{ table }}
    where _link_problems is not null
    {%- endif %}

),

{% endfor -%}
final as (

    {% for table in sources -%}
    select * from quarantined_{{ table }} {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final

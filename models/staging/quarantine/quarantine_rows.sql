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
    'customer_identifiers': {'base': ref('base_customer_identifiers')},
    'consents': {'base': ref('base_consents')},
    'privacy_requests': {'base': ref('base_privacy_requests')},
    'product_relations': {'base': ref('base_product_relations'), 'parents': {'products': ref('stg_products')}},
    'inventory_daily': {'base': ref('base_inventory_daily'), 'parents': {'products': ref('stg_products')}},
    'marketplace_metrics': {'base': ref('base_marketplace_metrics'), 'parents': {'products': ref('stg_products')}},
    'shipment_events': {'base': ref('base_shipment_events'), 'parents': {'shipments': ref('stg_shipments')}},
    'payments': {'base': ref('base_payments'), 'parents': {'orders': ref('stg_orders'), 'membership_terms': ref('stg_membership_terms')}},
    'support_tickets': {'base': ref('base_support_tickets'), 'parents': {'orders': ref('stg_orders')}},
    'survey_responses': {'base': ref('base_survey_responses')},
    'reviews': {'base': ref('base_reviews'), 'parents': {'products': ref('stg_products')}},
    'loyalty_ledger': {'base': ref('base_loyalty_ledger')},
    'loyalty_tier_history': {'base': ref('base_loyalty_tier_history')},
    'referrals': {'base': ref('base_referrals')},
    'web_events': {'base': ref('base_web_events')},
    'wishlist_items': {'base': ref('base_wishlist_items'), 'parents': {'products': ref('stg_products')}},
    'community_events': {'base': ref('base_community_events')},
    'campaigns': {'base': ref('base_campaigns')},
    'message_events': {'base': ref('base_message_events'), 'parents': {'campaigns': ref('stg_campaigns')}},
    'marketing_spend': {'base': ref('base_marketing_spend')},
    'experiments': {'base': ref('base_experiments'), 'parents': {'campaigns': ref('stg_campaigns')}},
    'experiment_assignments': {'base': ref('base_experiment_assignments'), 'parents': {'experiments': ref('stg_experiments')}},
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

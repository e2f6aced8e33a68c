{#- What the models about the state of the warehouse itself share. -#}

{#- Tables of the source contract with the column that says when a row of them happened, where there is one: a UTC
    time, or a day of the shop where its name ends in `_date`. A test compares the list with the contract. -#}
{% macro contract_tables() %}
{{ return({
    'customers': 'created_at',
    'products': none,
    'product_costs': none,
    'orders': 'ordered_at',
    'order_lines': none,
    'shipments': 'shipped_at',
    'returns': 'requested_at',
    'return_items': none,
    'refunds': 'issued_at',
    'memberships': 'joined_at',
    'membership_terms': 'due_at',
    'membership_benefit_usage': 'used_at',
    'customer_identifiers': 'first_seen_at',
    'consents': 'event_at',
    'privacy_requests': 'received_at',
    'product_relations': none,
    'inventory_daily': 'inventory_date',
    'marketplace_metrics': 'metric_date',
    'shipment_events': 'event_at',
    'payments': 'processed_at',
    'support_tickets': 'opened_at',
    'survey_responses': 'sent_at',
    'reviews': 'created_at',
    'loyalty_ledger': 'event_at',
    'loyalty_tier_history': 'valid_from',
    'referrals': 'invited_at',
    'web_events': 'event_at',
    'wishlist_items': 'added_at',
    'community_events': 'event_at',
    'campaigns': 'started_at',
    'message_events': 'event_at',
    'marketing_spend': 'spend_date',
    'experiments': 'start_at',
    'experiment_assignments': 'assigned_at',
}) }}
{% endmacro %}

{#- How many days of news are kept to know what is usual: the same weekdays before each of the days that are judged. -#}
{% macro judged_days() %}{{ return(14) }}{% endmacro %}
{% macro weeks_of_history() %}{{ return(8) }}{% endmacro %}
{% macro days_of_news() %}{{ return(judged_days() + 7 * weeks_of_history()) }}{% endmacro %}

{#- One row per group of a CTE: the number of its rows, the median of a value, and the median distance from it. -#}
{% macro median_and_deviation(relation, keys, value) -%}
select
        {% for key in keys -%}
        medians.{{ key }},
        {% endfor -%}
        min(medians.value_count) as value_count,
        min(medians.median) as median,
        percentile_cont(0.5) within group (order by abs(rows_of_group.{{ value }} - medians.median)) as mad
    from {{ relation }} as rows_of_group
    inner join (
        select
            {{ keys | join(', ') }},
            count(*) as value_count,
            percentile_cont(0.5) within group (order by {{ value }}) as median
        from {{ relation }}
        group by {{ keys | join(', ') }}
    ) as medians
        on {% for key in keys %}{{ 'and ' if not loop.first }}rows_of_group.{{ key }} = medians.{{ key }}
        {% endfor %}
    group by {% for key in keys %}medians.{{ key }}{{ ', ' if not loop.last }}{% endfor %}
{%- endmacro %}

{#- The median absolute deviation, as the standard deviation that it is of a normal distribution. -#}
{% macro robust_deviation(mad) -%} (1.4826 * {{ mad }}) {%- endmacro %}

{#- Every mart of the project with the sources that it cannot do without (config.meta.needs, set per folder in
    dbt_project.yml and per model where one differs); `a or b` is a need that either meets. Empty while dbt only parses. -#}
{% macro marts_and_needs() %}
{%- set marts = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() | sort(attribute='name')
        if node.resource_type == 'model' and node.package_name == project_name and 'marts' in node.fqn -%}
        {%- do marts.append({'name': node.name, 'group': node.config.group, 'needs': node.config.meta.get('needs', ['orders'])}) -%}
    {%- endfor -%}
{%- endif -%}
{{ return(marts) }}
{% endmacro %}

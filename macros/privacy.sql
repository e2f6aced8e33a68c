{#- What proves an erasure. -#}

{#- Every mart with a column that names a person or an account (is_name_of_a_person). A test compares the list with the
    project. -#}
{% macro marts_about_customers() %}
{{ return([
    'dim_customer_360',
    'dim_customers',
    'fct_audience_members',
    'fct_consents',
    'fct_customer_churn',
    'fct_customer_churn_horizons',
    'fct_customer_devices',
    'fct_customer_next_order',
    'fct_customer_rfm',
    'fct_customer_segments',
    'fct_customer_timeline',
    'fct_customer_value',
    'fct_deliveries',
    'fct_experiment_assignments',
    'fct_identity_merges',
    'fct_interactions',
    'fct_loyalty_ledger',
    'fct_loyalty_tiers',
    'fct_membership_movements',
    'fct_membership_terms',
    'fct_membership_value',
    'fct_messages',
    'fct_next_best_actions',
    'fct_order_lines',
    'fct_orders',
    'fct_payment_settlements',
    'fct_payments',
    'fct_product_recommendations',
    'fct_referrals',
    'fct_refunds',
    'fct_returns',
    'fct_score_reasons',
    'fct_sessions',
    'fct_silent_dissatisfaction',
    'fct_support_tickets',
    'fct_survey_responses',
    'fct_top_customers',
]) }}
{% endmacro %}

{% macro is_name_of_a_person(column) %}
{{ return(column.endswith('customer_id') or column in ['account_id', 'person_id', 'unit_id']) }}
{% endmacro %}

{#- The columns of a mart that name a person; one of them while dbt only parses. -#}
{% macro names_of_persons(mart) %}
{%- set columns = [] -%}
{%- if execute -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == mart -%}
        {%- for column in node.columns if is_name_of_a_person(column) -%}{%- do columns.append(column) -%}{%- endfor -%}
    {%- endfor -%}
{%- endif -%}
{{ return(columns or ['customer_id']) }}
{% endmacro %}

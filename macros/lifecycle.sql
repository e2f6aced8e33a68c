{#- The lifecycle stage on a day, from what was known on that day. One definition for the present and for past month
    ends (DECISIONS.md, "The seven lifecycle stages"). -#}
{% macro lifecycle_stage(days_since_last, days_since_first, days_before_last, occasion_count, margin_so_far, vip_margin) -%}
case
    when {{ occasion_count }} is null or {{ occasion_count }} = 0 then 'prospect'
    when {{ days_since_last }} > {{ var('lapse_days') }} then 'lapsed'
    when {{ days_since_first }} <= {{ var('newcomer_days') }} then 'new'
    when {{ days_before_last }} > {{ var('lapse_days') }} and {{ days_since_last }} <= {{ var('newcomer_days') }} then 'reactivated'
    when {{ days_since_last }} > {{ (var('lapse_days') / 2) | int }} then 'at_risk'
    when {{ occasion_count }} >= 2 and {{ margin_so_far }} >= {{ vip_margin }} then 'vip'
    else 'active'
end
{%- endmacro %}

{#- Bands of the probability of no order in the horizon; NULL without a score. -#}
{% macro risk_band(probability) -%}
case
    when {{ probability }} is null then null
    when {{ probability }} >= 0.9 then 'very_high'
    when {{ probability }} >= 0.7 then 'high'
    when {{ probability }} >= 0.4 then 'middle'
    else 'low'
end
{%- endmacro %}

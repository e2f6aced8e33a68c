{#- What every table of effects tells of an effect, in the order of their contracts. -#}
{% macro effect_columns() -%}
-- measures
        horizon_days,
        treated_customers,
        control_customers,
        customers,
        treated_mean,
        control_mean,
        others_mean,
        naive_difference,
        naive_low_80,
        naive_high_80,
        naive_low_95,
        naive_high_95,
        adjusted_difference,
        adjusted_low_80,
        adjusted_high_80,
        adjusted_low_95,
        adjusted_high_95,
        placebo_difference,
        placebo_low_95,
        placebo_high_95,
        propensity_lowest,
        propensity_highest,
        trimmed_share,
        trimmed_treated_share,
        effective_treated_customers,
        effective_control_customers,
        largest_difference_before,
        largest_difference_after,

        -- attributes
        with_event,
        without_event,
        method,
        estimand,
        verdict,

        -- flags
        is_identified,
        is_placebo_passed
{%- endmacro %}

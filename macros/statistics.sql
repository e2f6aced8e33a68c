{#- Statistics that SQL can do by itself, in plain portable SQL. -#}

{#- Wilson score interval of a share, 95 % (Wilson 1927, JASA 22, 209-212): double, NULL where there were no trials. The
    bounds of 0 of n and n of n are set, not computed: rounding would leave the range from 0 to 1. -#}

{% macro wilson_low(successes, trials) -%}
case
    when {{ trials }} > 0 and {{ successes }} = 0 then cast(0 as double)
    when {{ trials }} > 0 then {{ _wilson_bound(successes, trials, '-') }}
end
{%- endmacro %}

{% macro wilson_high(successes, trials) -%}
case
    when {{ trials }} > 0 and {{ successes }} = {{ trials }} then cast(1 as double)
    when {{ trials }} > 0 then {{ _wilson_bound(successes, trials, '+') }}
end
{%- endmacro %}

{#- 3.841458820694124 is the square of 1.959963984540054, the normal's 97.5 % point. -#}
{% macro _wilson_bound(successes, trials, sign) -%}
(
    2 * cast({{ successes }} as double) + cast(3.841458820694124 as double)
    {{ sign }} cast(1.959963984540054 as double) * sqrt(
        cast(3.841458820694124 as double)
        + 4 * cast({{ successes }} as double)
            * (1 - cast({{ successes }} as double) / nullif(cast({{ trials }} as double), 0))
    )
) / (2 * (cast({{ trials }} as double) + cast(3.841458820694124 as double)))
{%- endmacro %}

{#- Interval of the difference of two independent shares, first less second, 95 %: Newcombe's hybrid of Wilson intervals
    (Newcombe 1998, Statistics in Medicine 17, 873-890, method 10). Double, NULL where one of them had no trials. -#}
{% macro newcombe_low(successes, trials, other_successes, other_trials) -%}
{{ ratio(successes, trials) }} - {{ ratio(other_successes, other_trials) }} - sqrt(
    power({{ ratio(successes, trials) }} - ({{ wilson_low(successes, trials) }}), 2)
    + power(({{ wilson_high(other_successes, other_trials) }}) - {{ ratio(other_successes, other_trials) }}, 2)
)
{%- endmacro %}

{% macro newcombe_high(successes, trials, other_successes, other_trials) -%}
{{ ratio(successes, trials) }} - {{ ratio(other_successes, other_trials) }} + sqrt(
    power(({{ wilson_high(successes, trials) }}) - {{ ratio(successes, trials) }}, 2)
    + power({{ ratio(other_successes, other_trials) }} - ({{ wilson_low(other_successes, other_trials) }}), 2)
)
{%- endmacro %}

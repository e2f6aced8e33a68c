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

{#- Score interval, 95 %, of the expected number behind a count of events, which may exceed the things that they are counted
    over (Barker 2002, The American Statistician 56, 85-89, "SC"): both bounds solve (events - expected)^2 = z^2 expected. -#}
{% macro count_low(events) -%} {{ _count_bound(events, '-') }} {%- endmacro %}

{% macro count_high(events) -%} {{ _count_bound(events, '+') }} {%- endmacro %}

{% macro _count_bound(events, sign) -%}
(
    cast({{ events }} as double) + cast(3.841458820694124 as double) / 2
    {{ sign }} sqrt(
        cast(3.841458820694124 as double)
        * (cast({{ events }} as double) + cast(3.841458820694124 as double) / 4)
    )
)
{%- endmacro %}

{#- Interval, 95 %, of a Net Promoter Score in points from -100 to 100: Wald's, from the variance of a score of -1, 0 and 1,
    after three more answers, 3/4 of them promoters and 3/4 detractors (Rocks 2016, The American Statistician 70, 365-372:
    plain Wald holds too rarely for few answers, and has no width where all agree). NULL where nobody answered. -#}
{% macro net_promoter_low(promoters, detractors, answers) -%}
case when {{ answers }} > 0
    then greatest({{ _net_promoter_bound(promoters, detractors, answers, '-') }}, cast(-100 as double))
end
{%- endmacro %}

{% macro net_promoter_high(promoters, detractors, answers) -%}
case when {{ answers }} > 0
    then least({{ _net_promoter_bound(promoters, detractors, answers, '+') }}, cast(100 as double))
end
{%- endmacro %}

{% macro _net_promoter_bound(promoters, detractors, answers, sign) -%}
100 * (
    {{ ratio(promoters ~ ' - ' ~ detractors, answers ~ ' + 3') }}
    {{ sign }} cast(1.959963984540054 as double) * sqrt(
        (
            {{ ratio(promoters ~ ' + ' ~ detractors ~ ' + 1.5', answers ~ ' + 3') }}
            - pow({{ ratio(promoters ~ ' - ' ~ detractors, answers ~ ' + 3') }}, 2)
        ) / nullif(cast({{ answers }} as double) + 3, 0)
    )
)
{%- endmacro %}

{#- Probability of a standard normal value at least as far from zero, by the rational form 7.1.26 of Abramowitz & Stegun
    (1964): within 1.5e-7. -#}
{% macro normal_two_sided(z) -%}
(
    {%- set t = '(1 / (1 + 0.3275911 * abs(' ~ z ~ ') / sqrt(2e0)))' %}
    {{ t }} * (0.254829592e0 + {{ t }} * (-0.284496736e0 + {{ t }} * (1.421413741e0 + {{ t }} * (
        -1.453152027e0 + {{ t }} * 1.061405429e0
    )))) * exp(-power(cast({{ z }} as double), 2) / 2)
)
{%- endmacro %}

{#- Probability of a Student's t at least as far from zero, by the normal value of Wallace (1959, Annals of Mathematical
    Statistics 30, 1124-1130): within 3e-5 from 29 degrees of freedom on. -#}
{% macro student_two_sided(t, degrees) -%}
{{ normal_two_sided(
    '((8 * ' ~ degrees ~ ' + 1) / (8 * ' ~ degrees ~ ' + 3) * sqrt(' ~ degrees ~ ' * ln(1 + power(' ~ t ~ ', 2) / ' ~ degrees ~ ')))'
) }}
{%- endmacro %}

{#- The 97.5 % point of Student's t, by the expansion 26.7.5 of Abramowitz & Stegun (1964): within 1e-5 from ten degrees of
    freedom on. -#}
{% macro student_quantile(degrees) -%}
(
    1.959963984540054e0 + 2.372271230298562e0 / {{ degrees }} + 2.822498615739611e0 / power({{ degrees }}, 2)
    + 2.555849679507722e0 / power({{ degrees }}, 3) + 1.589534053393822e0 / power({{ degrees }}, 4)
)
{%- endmacro %}

{#- Probability of a chi-square at least as large, for one to five degrees of freedom (two to six arms); NULL for others. -#}
{% macro chi_square_tail(chi_square, degrees) -%}
case {{ degrees }}
    when 1 then {{ normal_two_sided('sqrt(' ~ chi_square ~ ')') }}
    when 2 then exp(-({{ chi_square }}) / 2)
    when 3 then {{ normal_two_sided('sqrt(' ~ chi_square ~ ')') }}
        + sqrt(2 * ({{ chi_square }}) / pi()) * exp(-({{ chi_square }}) / 2)
    when 4 then (1 + ({{ chi_square }}) / 2) * exp(-({{ chi_square }}) / 2)
    when 5 then {{ normal_two_sided('sqrt(' ~ chi_square ~ ')') }}
        + sqrt(2 * ({{ chi_square }}) / pi()) * exp(-({{ chi_square }}) / 2) * (1 + ({{ chi_square }}) / 3)
end
{%- endmacro %}

{#- Product of shares over a window, rounded where logarithms leave noise in the last digits. -#}
{% macro running_product(share, window) -%}
case
    when min({{ share }}) over {{ window }} = 0 then cast(0 as double)
    else round(exp(sum(ln(nullif({{ share }}, 0))) over {{ window }}), 12)
end
{%- endmacro %}

{#- Business constants as SQL. No model reads a clock: the night has one date. -#}

{% macro as_of_date() -%} cast('{{ var("as_of_date") }}' as date) {%- endmacro %}

{#- The first moment, in UTC, that the night knows nothing of: the shop's midnight after as_of_date. A literal and no
    expression, so that the engine sees how few rows are later. Where clocks skip midnight the day begins when they
    jump, and where they show it twice it begins the first time. -#}
{% macro end_of_night(as_of_date=var('as_of_date'), shop_timezone=var('shop_timezone')) -%}
{%- set zone = modules.pytz.timezone(shop_timezone) -%}
{%- set midnight = modules.datetime.datetime.strptime(as_of_date | string, '%Y-%m-%d')
    + modules.datetime.timedelta(days=1) -%}
{%- set summer = zone.localize(midnight, is_dst=true) -%}
{%- set is_shown = zone.normalize(summer).replace(tzinfo=none) == midnight -%}
{%- set first = summer if is_shown else zone.localize(midnight, is_dst=false) -%}
timestamp '{{ first.astimezone(modules.pytz.utc).replace(tzinfo=none) }}'
{%- endmacro %}

{#- True for a moment on as_of_date or before, as the shop's clock has it; NULL for none. -#}
{% macro is_known(utc_timestamp) -%} {{ utc_timestamp }} < {{ end_of_night() }} {%- endmacro %}

{#- Amount in the shop's currency. Decimals are multiplied as doubles and rounded once, so that both engines agree. -#}
{% macro in_shop_currency(amount, rate) -%}
cast(round(cast({{ amount }} as double) * {{ rate }}, 2) as decimal(18, 2))
{%- endmacro %}

{% macro money_sum(expression) -%} cast(coalesce(sum({{ expression }}), 0) as decimal(18, 2)) {%- endmacro %}

{#- a / b as double, NULL where b is zero. -#}
{% macro ratio(numerator, denominator) -%}
cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0)
{%- endmacro %}

{#- Shop currency per unit of the order's currency; the contract has quarantined foreign orders without a rate. -#}
{% macro order_rate(orders) -%}
case
    when coalesce({{ orders }}.currency, '{{ var("shop_currency") }}') = '{{ var("shop_currency") }}' then 1
    else {{ orders }}.fx_rate_to_shop
end
{%- endmacro %}

{#- Money of an order in the shop's currency. What the order does not say, its lines say. -#}
{% macro order_discount_amount(orders, lines) -%}
coalesce({{ in_shop_currency(orders ~ '.discount_amount', order_rate(orders)) }}, {{ lines }}.line_discount_amount, 0)
{%- endmacro %}

{% macro order_tax_amount(orders, lines) -%}
coalesce({{ in_shop_currency(orders ~ '.tax_amount', order_rate(orders)) }}, {{ lines }}.line_tax_amount, 0)
{%- endmacro %}

{#- A shop that delivers only the total: the items are what is left of it. -#}
{% macro order_gross_amount(orders, lines) -%}
coalesce(
    {{ in_shop_currency(orders ~ '.gross_item_amount', order_rate(orders)) }},
    {{ in_shop_currency(orders ~ '.total_amount - coalesce(' ~ orders ~ '.shipping_amount, 0)', order_rate(orders)) }}
        - {{ order_tax_amount(orders, lines) }} + {{ order_discount_amount(orders, lines) }}
)
{%- endmacro %}

{#- Known that night as called off. A cancellation of the morning after has not happened yet for it. -#}
{% macro is_cancelled(orders) -%}
(
    (coalesce({{ orders }}.status, 'paid') = 'cancelled' or {{ orders }}.cancelled_at is not null)
    and coalesce({{ is_known(orders ~ '.cancelled_at') }}, true)
)
{%- endmacro %}

{#- Score 1 to 5 from a percent rank in [0, 1]. -#}
{% macro fifth(percent_rank) -%} cast(1 + least(4, floor(5 * {{ percent_rank }})) as integer) {%- endmacro %}

{#- A review that everybody may read by the end of the night. One that does not say is public. -#}
{% macro is_public_review(reviews) -%}
(coalesce({{ reviews }}.is_public, true) and {{ is_known(reviews ~ '.created_at') }})
{%- endmacro %}

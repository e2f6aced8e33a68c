{#- What messages are said to have won. -#}

{#- One row per valid order that a message won, with the campaign, arm and week of that message: of those that the
    customer opened or clicked before the order, and that were sent less than the window before it, the one touched last.
    A machine that opens it wins no order, and neither does a bill. -#}
{% macro orders_won_by_messages(messages, orders, window_days) -%}
with

touches as (

    {% for flag, touched_at, touch_rank in [
        ('is_opened_by_human', 'first_human_opened_at', 2), ('is_clicked', 'first_clicked_at', 1),
    ] -%}
    select
        message_id,
        campaign_id,
        arm,
        message_week,
        customer_id,
        sent_at,
        {{ touched_at }} as touched_at,
        {{ touch_rank }} as touch_rank
    from {{ messages }}
    where {{ flag }} and not is_transactional and customer_id is not null
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Spans as long as the window: an order meets its messages in its own span or in the one before.
touches_by_span as (

    select
        touches.*,
        {{ span_of('touches.sent_at', window_days) }} + spans.n as span
    from touches
    cross join {{ numbers(2) }} as spans

),

orders_by_span as (

    select
        *,
        {{ span_of('ordered_at', window_days) }} as span
    from {{ orders }}
    where is_valid_order

),

met as (

    select
        touches_by_span.campaign_id,
        touches_by_span.arm,
        touches_by_span.message_week,
        orders_by_span.contribution_margin_amount,
        -- The last touch has the order, and has it alone.
        row_number() over (
            partition by orders_by_span.order_id
            order by
                touches_by_span.touched_at desc nulls last,
                touches_by_span.touch_rank asc nulls last,
                touches_by_span.message_id asc nulls last
        ) as touch_number
    from orders_by_span
    inner join touches_by_span
        on orders_by_span.customer_id = touches_by_span.customer_id
        and orders_by_span.span = touches_by_span.span
        and orders_by_span.ordered_at >= touches_by_span.touched_at
        and orders_by_span.ordered_at < touches_by_span.sent_at + interval {{ window_days }} day

)

select campaign_id, arm, message_week, contribution_margin_amount
from met
where touch_number = 1
{%- endmacro %}

{#- Number of the span of so many days, counted from 1970, in which a moment lies. -#}
{% macro span_of(moment, days) -%}
cast(floor({{ ratio(days_between("cast('1970-01-01' as date)", moment), days) }}) as integer)
{%- endmacro %}

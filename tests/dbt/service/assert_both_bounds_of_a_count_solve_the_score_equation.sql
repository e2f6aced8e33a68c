{#- A bound of the score interval is an expectation that the count lies 1.96 of its standard deviations from, by definition:
    (events - bound)^2 = 3.8415 bound. Of no events the bounds are 0 and 3.8415; of ten they are 5.43 and 18.41. -#}

with

counts as (

    {% for events, low, high in [(0, 0.0, 3.8415), (1, 0.1765, 5.6649), (10, 5.4320, 18.4095)] -%}
    select
        {{ events }} as events,
        {{ low }} as low,
        {{ high }} as high
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

computed as (

    select
        *,
        {{ count_low('events') }} as computed_low,
        {{ count_high('events') }} as computed_high
    from counts

),

final as (

    select * from computed
    where
        not coalesce(abs(computed_low - low) <= 0.0001, false)
        or not coalesce(abs(computed_high - high) <= 0.0001, false)
        or not coalesce(abs(pow(events - computed_low, 2) - 3.841458820694124 * computed_low) <= 1e-9, false)
        or not coalesce(abs(pow(events - computed_high, 2) - 3.841458820694124 * computed_high) <= 1e-9, false)

)

select * from final

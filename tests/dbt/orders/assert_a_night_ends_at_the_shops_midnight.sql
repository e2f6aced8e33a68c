-- The first moment after the day, counted by hand from the clocks' history: winter and summer in London; half an hour in
-- Kolkata; in Havana clocks went from 01:00 back to 00:00 on 2 November 2025, and that day began the first time; in Sao
-- Paulo they skipped from 00:00 to 01:00 on 4 November 2018.
{%- set ends = [
    ('2025-12-31', 'Europe/London', '2026-01-01 00:00:00'),
    ('2025-06-30', 'Europe/London', '2025-06-30 23:00:00'),
    ('2025-12-31', 'Asia/Kolkata', '2025-12-31 18:30:00'),
    ('2025-11-01', 'America/Havana', '2025-11-02 04:00:00'),
    ('2018-11-03', 'America/Sao_Paulo', '2018-11-04 03:00:00'),
] %}

with

ends as (

    {% for day, zone, expected in ends -%}
    select
        '{{ day }}' as as_of_date,
        '{{ zone }}' as shop_timezone,
        {{ end_of_night(day, zone) }} as end_of_night,
        timestamp '{{ expected }}' as expected_end
    {% if not loop.last -%}
    union all
    {% endif -%}
    {% endfor %}
)

select * from ends
where end_of_night <> expected_end

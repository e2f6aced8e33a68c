-- Thresholds of neighbouring scores must not overlap: an overlap is a tie that was torn apart.
with

thresholds as (

    select
        *,
        case when measure = 'recency' then -lowest_value else lowest_value end as from_value,
        case when measure = 'recency' then -highest_value else highest_value end as to_value
    from {{ ref('fct_rfm_thresholds') }}

)

select
    lower_score.measure,
    lower_score.score,
    lower_score.highest_value,
    higher_score.score as next_score,
    higher_score.lowest_value as next_lowest_value
from thresholds as lower_score
inner join thresholds as higher_score
    on lower_score.measure = higher_score.measure
    and lower_score.score < higher_score.score
where
    greatest(lower_score.from_value, lower_score.to_value)
    >= least(higher_score.from_value, higher_score.to_value)

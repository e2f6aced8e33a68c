with

verdicts as (

    select * from {{ ref('fct_score_verdicts') }}
    where is_champion

),

champions as (

    select * from {{ ref('fct_score_champions') }}
    where as_of_date = {{ as_of_date() }}

)

select
    champions.score_name,
    champions.horizon_days,
    champions.champion_model_name,
    champions.level,
    verdicts.is_passing,
    verdicts.reason

from champions
left join verdicts
    on champions.score_name = verdicts.score_name
    and champions.horizon_days = verdicts.horizon_days
where
    champions.is_published
    and champions.level <> 'pooled'
    and (
        not coalesce(verdicts.is_passing, false)
        or verdicts.model_name <> champions.champion_model_name
    )

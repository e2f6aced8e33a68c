{#- Rocks (2016), The American Statistician 70, 365-372, adjusted Wald with 3/4 more promoters and detractors and 3 more
    answers. Five of ten promote and two do not: the mean of -1, 0 and 1 is 3 / 13 and its variance 8.5 / 13 - (3 / 13)^2, so the
    bounds are 100 (0.230769 -+ 1.959964 * 0.214941). All of four promote: 4 / 7 and 5.5 / 7 - (4 / 7)^2, and no score is above 100. -#}

with

counted as (

    select 5 as promoters, 2 as detractors, 10 as answers, -19.0507 as low, 65.2045 as high
    union all
    select 4 as promoters, 0 as detractors, 4 as answers, 6.9443 as low, 100.0 as high
    union all
    select 0 as promoters, 4 as detractors, 4 as answers, -100.0 as low, -6.9443 as high

),

computed as (

    select
        *,
        {{ net_promoter_low('promoters', 'detractors', 'answers') }} as computed_low,
        {{ net_promoter_high('promoters', 'detractors', 'answers') }} as computed_high,
        {{ net_promoter_low('0', '0', '(answers - answers)') }} as low_of_no_answers
    from counted

),

final as (

    select * from computed
    where
        not coalesce(abs(computed_low - low) <= 0.0005, false)
        or not coalesce(abs(computed_high - high) <= 0.0005, false)
        or low_of_no_answers is not null

)

select * from final

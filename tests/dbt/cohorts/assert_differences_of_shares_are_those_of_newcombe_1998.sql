{#- Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10: six pairs, printed with four decimals. -#}

with

published as (

    select 56 as successes, 70 as trials, 48 as other_successes, 80 as other_trials, 0.0524 as low, 0.3339 as high
    union all
    select 9, 10, 3, 10, 0.1705, 0.8090
    union all
    select 6, 7, 2, 7, 0.0582, 0.8062
    union all
    select 5, 56, 0, 29, -0.0381, 0.1926
    union all
    select 0, 10, 0, 20, -0.1611, 0.2775
    union all
    select 10, 10, 0, 20, 0.6791, 1.0000

),

computed as (

    select
        *,
        {{ newcombe_low('successes', 'trials', 'other_successes', 'other_trials') }} as computed_low,
        {{ newcombe_high('successes', 'trials', 'other_successes', 'other_trials') }} as computed_high,
        {{ newcombe_low('successes', 'trials', 'other_successes', '(trials - trials)') }} as low_of_no_trials

    from published

),

final as (

    select * from computed
    where
        not coalesce(abs(computed_low - low) <= 0.00005, false)
        or not coalesce(abs(computed_high - high) <= 0.00005, false)
        or low_of_no_trials is not null

)

select * from final

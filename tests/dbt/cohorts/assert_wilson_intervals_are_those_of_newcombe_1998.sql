{#- Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3: four cases, printed with four decimals. -#}

with

published as (

    select 81 as successes, 263 as trials, 0.2553 as low, 0.3662 as high
    union all
    select 15 as successes, 148 as trials, 0.0624 as low, 0.1605 as high
    union all
    select 0 as successes, 20 as trials, 0.0000 as low, 0.1611 as high
    union all
    select 1 as successes, 29 as trials, 0.0061 as low, 0.1718 as high

),

computed as (

    select
        *,
        {{ wilson_low('successes', 'trials') }} as computed_low,
        {{ wilson_high('successes', 'trials') }} as computed_high,
        -- the mirror image: as many failures as there were successes
        1 - ({{ wilson_high('(trials - successes)', 'trials') }}) as mirrored_low,
        {{ wilson_low('successes', '(trials - trials)') }} as low_of_no_trials

    from published

),

final as (

    select * from computed
    where
        not coalesce(abs(computed_low - low) <= 0.00005, false)
        or not coalesce(abs(computed_high - high) <= 0.00005, false)
        or not coalesce(abs(mirrored_low - computed_low) <= 1e-12, false)
        or low_of_no_trials is not null

)

select * from final

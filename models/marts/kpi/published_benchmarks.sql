with

claims as (

    select * from {{ ref('published_benchmark_claims') }}

),

final as (

    select
        -- keys
        benchmark_id,
        claim_number,

        -- measures
        value,
        value_high,

        -- attributes
        unit,
        topic,
        measure,
        claim,
        raw_text,
        caution,
        source,
        compared_with

    from claims

)

select * from final

-- A reading that the dictionary does not know has no anchor; a metric whose default is missing has nothing to be compared with.
with

named as (

    select distinct
        variants.metric,
        variants.variant,
        dictionary.metric is not null as is_in_dictionary
    from {{ ref('fct_metric_variants') }} as variants
    left join {{ ref('dim_metrics') }} as dictionary
        on variants.metric = dictionary.metric
        and variants.variant = dictionary.variant

),

defaults as (

    select
        metric,
        variant
    from {{ ref('dim_metrics') }}
    where is_default

)

select
    metric,
    variant,
    'is not in the dictionary' as finding
from named
where not is_in_dictionary

union all

select
    defaults.metric,
    defaults.variant,
    'is the default and is not computed' as finding
from defaults
where
    defaults.metric in (select metric from named)
    and defaults.metric || '|' || defaults.variant not in (select metric || '|' || variant from named)
    -- A shop without members has no months of them, a shop without parcels no promises.
    and exists (
        select 1 from {{ ref('fct_metric_variants') }} as variants
        where variants.metric = defaults.metric and variants.value is not null
    )

-- Of n customers a share p is held out, and of two draws with shares p and q both hold out p times q: up to five standard
-- deviations of a binomial count, which a fair draw passes once in a million. A hundred thousand customers tell enough, and a
-- count that is expected to vary by less than three tells nothing.
with

customers as (

    select customer_id from {{ ref('dim_customers') }}
    where not is_erased
    order by customer_id asc nulls last
    limit 100000

),

scopes as (

    select
        'everything' as scope,
        cast({{ var('holdout_share') }} as double) as share,
        {{ holdout_limit(var('holdout_share')) }} as holdout_limit
    {% for audience in var('audiences') -%}
    union all
    select
        '{{ audience.audience }}' as scope,
        cast({{ audience.holdout_share }} as double) as share,
        {{ holdout_limit(audience.holdout_share) }} as holdout_limit
    {% endfor %}
),

size as (

    select cast(count(*) as double) as customer_count from customers

),

held_out as (

    select
        customers.customer_id,
        scopes.scope
    from customers
    cross join scopes
    where {{ holdout_lot('scopes.scope', 'customers.customer_id') }} < scopes.holdout_limit

),

counted as (

    select
        scope as first_scope,
        scope as second_scope,
        count(*) as held_out_count
    from held_out
    group by 1

    union all

    select
        one.scope as first_scope,
        other.scope as second_scope,
        count(*) as held_out_count
    from held_out as one
    inner join held_out as other
        on one.customer_id = other.customer_id
        and one.scope < other.scope
    group by 1, 2

),

expected as (

    select
        one.scope as first_scope,
        other.scope as second_scope,
        case when one.scope = other.scope then one.share else one.share * other.share end as share
    from scopes as one
    inner join scopes as other on one.scope <= other.scope

)

select
    expected.first_scope,
    expected.second_scope,
    size.customer_count,
    size.customer_count * expected.share as expected_count,
    coalesce(counted.held_out_count, 0) as held_out_count
from expected
cross join size
left join counted
    on expected.first_scope = counted.first_scope
    and expected.second_scope = counted.second_scope
where
    size.customer_count * expected.share * (1 - expected.share) >= 9
    and abs(coalesce(counted.held_out_count, 0) - size.customer_count * expected.share)
    > 5 * sqrt(size.customer_count * expected.share * (1 - expected.share))

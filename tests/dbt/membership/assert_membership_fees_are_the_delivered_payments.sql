with

memberships as (

    select stg_memberships.membership_id
    from {{ ref('stg_memberships') }} as stg_memberships
    inner join {{ ref('int_identity__map') }} as identity_map
        on stg_memberships.customer_id = identity_map.source_customer_id
    where
        not stg_memberships.is_deleted
        and {{ shop_day('stg_memberships.joined_at') }} <= {{ as_of_date() }}
        and not identity_map.is_test

),

delivered as (

    select
        stg_membership_terms.membership_id,
        sum(greatest(
            stg_membership_terms.fee_amount - coalesce(stg_membership_terms.discount_amount, 0), 0
        )) as fee_paid_amount
    from {{ ref('stg_membership_terms') }} as stg_membership_terms
    inner join memberships on stg_membership_terms.membership_id = memberships.membership_id
    where
        not stg_membership_terms.is_deleted
        and stg_membership_terms.payment_status = 'paid'
        and stg_membership_terms.term_start <= {{ as_of_date() }}
        and coalesce(
            {{ shop_day('stg_membership_terms.paid_at') }},
            {{ shop_day('stg_membership_terms.due_at') }},
            stg_membership_terms.term_start
        ) <= {{ as_of_date() }}
        -- Foreign fees are rounded at a rate, which this sum does not know.
        and coalesce(stg_membership_terms.currency, '{{ var("shop_currency") }}')
            = '{{ var("shop_currency") }}'
    group by 1

),

foreign_memberships as (

    select distinct membership_id
    from {{ ref('stg_membership_terms') }}
    where not is_deleted and currency <> '{{ var("shop_currency") }}'

),

in_terms as (

    select membership_id, sum(fee_paid_amount) as fee_paid_amount
    from {{ ref('fct_membership_terms') }}
    group by 1

),

in_value as (

    select membership_id, fee_paid_amount
    from {{ ref('fct_membership_value') }}

)

select
    in_terms.membership_id,
    delivered.fee_paid_amount as delivered_amount,
    in_terms.fee_paid_amount as terms_amount,
    in_value.fee_paid_amount as value_amount
from in_terms
full outer join in_value on in_terms.membership_id = in_value.membership_id
full outer join delivered on in_terms.membership_id = delivered.membership_id
left join foreign_memberships on in_terms.membership_id = foreign_memberships.membership_id
where
    (
        in_terms.membership_id is null
        or in_value.membership_id is null
        or in_terms.fee_paid_amount <> in_value.fee_paid_amount
        or in_terms.fee_paid_amount <> coalesce(delivered.fee_paid_amount, 0)
    )
    and foreign_memberships.membership_id is null

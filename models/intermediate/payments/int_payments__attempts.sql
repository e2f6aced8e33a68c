{{ config(materialized='view') }}

{#- What a provider calls a code is sometimes a sentence about a person: only what looks like a code goes on. -#}
{%- set code_pattern = '^([a-z][a-z0-9_-]{0,39}|[0-9]{1,4})$' -%}
{%- set method = "replace(lower(payments.method), ' ', '_')" -%}

with

payments as (

    select
        *,
        coalesce(currency, '{{ var("shop_currency") }}') as payment_currency_code
    from {{ ref('stg_payments') }}
    where
        not is_deleted
        and {{ is_known('processed_at') }}

),

delivered_orders as (

    select
        order_id,
        coalesce(currency, '{{ var("shop_currency") }}') as order_currency_code,
        {{ order_rate('stg_orders') }} as rate_to_shop
    from {{ ref('stg_orders') }} as stg_orders
    where not is_deleted

),

orders as (

    select
        valued.order_id,
        valued.customer_id,
        delivered_orders.order_currency_code,
        delivered_orders.rate_to_shop
    from {{ ref('int_orders__valued') }} as valued
    inner join delivered_orders on valued.order_id = delivered_orders.order_id
    where not valued.is_test_order

),

delivered_terms as (

    select
        membership_term_id,
        membership_id,
        term_number
    from {{ ref('stg_membership_terms') }}
    where not is_deleted

),

terms as (

    select * from {{ ref('int_membership__terms') }}

),

-- A fee that was tried twice may be two delivered rows of one term: both lead to the term that stands.
term_of_each_row as (

    select
        delivered_terms.membership_term_id as delivered_term_id,
        terms.membership_term_id,
        terms.membership_id,
        terms.term_number,
        terms.customer_id,
        terms.fee_currency_code,
        terms.rate_to_shop
    from delivered_terms
    inner join terms
        on delivered_terms.membership_id = terms.membership_id
        and delivered_terms.term_number = terms.term_number

),

-- A payment that names both was made for the order: the fee was sold through it.
placed as (

    select
        payments.payment_id,
        case when orders.order_id is not null then 'order' else 'membership_term' end as paid_for,
        coalesce(orders.order_id, term_of_each_row.membership_term_id) as paid_id,
        orders.order_id,
        case when orders.order_id is null then term_of_each_row.membership_id end as membership_id,
        case when orders.order_id is null then term_of_each_row.term_number end as term_number,
        case when orders.order_id is not null then orders.customer_id else term_of_each_row.customer_id end
            as customer_id,
        payments.payment_currency_code,
        payments.amount as delivered_amount,
        case
            when payments.payment_currency_code = '{{ var("shop_currency") }}' then 1
            when payments.payment_currency_code = orders.order_currency_code then orders.rate_to_shop
            when orders.order_id is null and payments.payment_currency_code = term_of_each_row.fee_currency_code
                then term_of_each_row.rate_to_shop
        end as rate_to_shop,
        payments.kind as payment_kind,
        payments.status as payment_status,
        case
            when payments.method is null then 'unknown'
            when {{ matches(method, code_pattern) }} then {{ method }}
            else 'other'
        end as payment_method,
        case
            when payments.status <> 'failure' then null
            when payments.failure_code is null then 'unknown'
            when {{ matches('lower(payments.failure_code)', code_pattern) }} then lower(payments.failure_code)
            else 'other'
        end as failure_code,
        payments.kind in ('sale', 'capture', 'authorization') as is_charge_attempt,
        payments.processed_at

    from payments
    left join orders on payments.order_id = orders.order_id
    left join term_of_each_row on payments.membership_term_id = term_of_each_row.delivered_term_id
    where
        -- The order or the term belongs to a test, was deleted, or begins after the night: so does its payment.
        coalesce(orders.order_id, term_of_each_row.membership_term_id) is not null

),

followed as (

    select
        *,
        {{ in_shop_currency('delivered_amount', 'rate_to_shop') }} as amount,
        case when is_charge_attempt then cast(row_number() over attempts_of_the_kind as bigint) end as attempt_number,
        lag(payment_status) over attempts_of_the_kind as status_before,
        -- An authorization is a promise of the bank: a failure is made good when the money comes.
        min(case when payment_kind in ('sale', 'capture') and payment_status = 'success' then processed_at end) over (
            partition by paid_for, paid_id, is_charge_attempt
            order by processed_at asc nulls last, payment_id asc nulls last
            rows between 1 following and unbounded following
        ) as next_success_at

    from placed
    window attempts_of_the_kind as (
        partition by paid_for, paid_id, is_charge_attempt
        order by processed_at asc nulls last, payment_id asc nulls last
    )

),

final as (

    select
        -- keys
        payment_id,
        paid_for,
        paid_id,
        order_id,
        membership_id,
        term_number,
        customer_id,

        -- measures, in the shop's currency
        attempt_number,
        amount,
        cast(case
            when payment_status <> 'success' then 0
            when payment_kind in ('sale', 'capture') then amount
            when payment_kind = 'refund' then -amount
            else 0
        end as decimal(18, 2)) as collected_amount,
        case
            when is_charge_attempt and payment_status = 'failure'
                then {{ seconds_between('processed_at', 'next_success_at') }} / 3600
        end as hours_to_recovery,

        -- attributes
        payment_currency_code,
        payment_kind,
        payment_status,
        payment_method,
        failure_code,

        -- flags
        is_charge_attempt,
        is_charge_attempt and payment_status = 'failure' as is_failed_charge,
        is_charge_attempt and coalesce(status_before = 'failure', false) as is_retry,
        is_charge_attempt and payment_status = 'failure' and next_success_at is not null as is_recovered,

        -- times
        processed_at,
        {{ shop_day('processed_at') }} as processed_date

    from followed

)

select * from final

with

membership_terms as (

    select * from {{ ref('stg_membership_terms') }}
    where
        not is_deleted
        -- A term that begins later belongs to a later night.
        and term_start <= {{ as_of_date() }}

),

memberships as (

    select * from {{ ref('stg_memberships') }}
    where
        not is_deleted
        and {{ is_known('joined_at') }}

),

orders as (

    select * from {{ ref('stg_orders') }}
    where
        not is_deleted
        and {{ is_known('ordered_at') }}

),

identity_map as (

    select * from {{ ref('int_identity__map') }}

),

-- Terms carry a currency and no rate; the shop's own orders know what it exchanged at.
exchange_rates as (

    select
        currency,
        {{ month_of(shop_day('ordered_at')) }} as rate_month,
        avg(fx_rate_to_shop) as rate
    from orders
    where
        currency <> '{{ var("shop_currency") }}'
        and fx_rate_to_shop is not null
    group by 1, 2

),

-- The last month before the term, which no later order can move, or else the nearest one there is.
rated_terms as (

    select
        membership_terms.membership_term_id,
        exchange_rates.rate,
        row_number() over (
            partition by membership_terms.membership_term_id
            order by
                case
                    when exchange_rates.rate_month < {{ month_of('membership_terms.term_start') }} then 0
                    else 1
                end asc nulls last,
                abs({{ days_between('exchange_rates.rate_month', 'membership_terms.term_start') }})
                    asc nulls last
        ) as nearness
    from membership_terms
    inner join exchange_rates on membership_terms.currency = exchange_rates.currency

),

valued as (

    select
        membership_terms.*,
        memberships.customer_id as source_customer_id,
        identity_map.customer_id,
        coalesce(memberships.program, 'unknown') as program_name,
        coalesce({{ shop_day('membership_terms.due_at') }}, membership_terms.term_start)
            as due_date,
        case membership_terms.billing_period when 'monthly' then 1 when 'annual' then 12 end
            as term_months,
        case
            when coalesce(membership_terms.currency, '{{ var("shop_currency") }}')
                = '{{ var("shop_currency") }}' then 1
            else rated_terms.rate
        end as rate_to_shop

    from membership_terms
    inner join memberships on membership_terms.membership_id = memberships.membership_id
    inner join identity_map on memberships.customer_id = identity_map.source_customer_id
    left join rated_terms
        on membership_terms.membership_term_id = rated_terms.membership_term_id
        and rated_terms.nearness = 1
    where not identity_map.is_test

),

dated as (

    select
        *,
        {{ in_shop_currency(
            'greatest(fee_amount - coalesce(discount_amount, 0), 0)', 'rate_to_shop') }}
            as net_fee_amount,
        case when payment_status in ('paid', 'refunded')
            then coalesce({{ shop_day('paid_at') }}, due_date) end as paid_date
    from valued

),

as_known as (

    select
        *,
        -- What is paid after the night's last day is still due that night.
        case when paid_date > {{ as_of_date() }} then 'due' else payment_status end
            as known_status,
        case when paid_date <= {{ as_of_date() }} then paid_date end as known_paid_date
    from dated

),

judged as (

    select
        *,
        case
            -- Nothing is owed for a trial: it runs unless its card check failed.
            when billing_period = 'trial' then known_status not in ('failed', 'refunded')
            -- A waived term is a pause; a refunded one was given back and counts as not paid.
            else known_status in ('paid', 'waived')
        end as has_payment,
        case
            when billing_period <> 'trial' and known_status = 'paid'
                and known_paid_date > {{ add_days('due_date', var('membership_grace_days')) }}
                -- Too late to continue: cover begins again with the money.
                then greatest(term_start, known_paid_date)
            else term_start
        end as cover_start

    from as_known

),

-- An attempt that failed and the one that succeeded may be two rows of one term.
numbered as (

    select
        *,
        has_payment and cover_start < term_end as is_covering,
        cast(
            sum(case when known_status = 'paid' then coalesce(net_fee_amount, 0) else 0 end)
                over (partition by membership_id, term_number)
            as decimal(18, 2)
        ) as fee_paid_amount,
        row_number() over (
            partition by membership_id, term_number
            order by
                case when has_payment and cover_start < term_end then 0 else 1 end asc nulls last,
                _batch_id desc nulls last,
                _row_number desc nulls last,
                membership_term_id desc nulls last
        ) as delivery_rank
    from judged

),

final as (

    select
        -- keys
        membership_term_id,
        membership_id,
        term_number,
        customer_id,
        source_customer_id,
        program_name as program,
        coalesce(plan_code, 'unknown') as plan_code,
        billing_period,

        -- measures, in the shop's currency
        cast(term_months as integer) as term_months,
        net_fee_amount,
        fee_paid_amount,
        case
            when billing_period <> 'trial' and known_status = 'paid' and is_covering
                and net_fee_amount is not null
                then cast(round({{ ratio('net_fee_amount', 'term_months') }}, 2) as decimal(18, 2))
            else cast(0 as decimal(18, 2))
        end as mrr_amount,

        -- attributes
        known_status as payment_status,
        coalesce(currency, '{{ var("shop_currency") }}') as fee_currency_code,
        rate_to_shop,

        -- flags
        is_covering,
        known_status = 'paid' and net_fee_amount is null as is_rate_missing,

        -- times
        term_start,
        term_end,
        due_date,
        known_paid_date as paid_date,
        case when is_covering then cover_start end as covered_from

    from numbered
    where delivery_rank = 1

)

select * from final

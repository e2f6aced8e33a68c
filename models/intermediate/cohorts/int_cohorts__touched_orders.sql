{{ config(materialized='view') }}

with

previous_build as (

    select
        as_of_date as previous_as_of_date,
        min(newest_order_batch_id) as newest_order_batch_id,
        min(newest_refund_batch_id) as newest_refund_batch_id
    from {{ ref('int_cohorts__kept_cells') }}
    where as_of_date = (
        select max(as_of_date) from {{ ref('int_cohorts__kept_cells') }}
        where as_of_date < {{ as_of_date() }}
    )
    group by 1

),

orders as (

    select
        valued.*,
        previous_build.previous_as_of_date
    from {{ ref('int_orders__valued') }} as valued
    inner join previous_build on valued.ordered_date <= previous_build.previous_as_of_date
    where not valued.is_test_order

),

-- Orders of a day that was over, delivered for the first time since.
late_orders as (

    select staged.order_id
    from {{ ref('stg_orders') }} as staged
    inner join previous_build on staged._batch_id > previous_build.newest_order_batch_id
    left join {{ ref('base_orders') }} as earlier
        on staged.order_id = earlier.order_id
        and earlier._batch_id <= previous_build.newest_order_batch_id
        and earlier._problems is null
    where
        not staged.is_deleted
        and earlier.order_id is null

),

cancelled_orders as (

    select staged.order_id
    from {{ ref('stg_orders') }} as staged
    inner join previous_build on {{ shop_day('staged.cancelled_at') }} > previous_build.previous_as_of_date
    where
        not staged.is_deleted
        and {{ is_known('staged.cancelled_at') }}

),

refunds_delivered_since as (

    select distinct staged.refund_id
    from {{ ref('stg_refunds') }} as staged
    inner join previous_build on staged._batch_id > previous_build.newest_refund_batch_id
    where not staged.is_deleted

),

refunds_since as (

    select
        refunds.order_id,
        {{ money_sum('refunds.refund_amount') }} as refund_amount
    from {{ ref('int_orders__refunds') }} as refunds
    cross join previous_build
    left join refunds_delivered_since on refunds.refund_id = refunds_delivered_since.refund_id
    where
        refunds.refunded_date > previous_build.previous_as_of_date
        or refunds_delivered_since.refund_id is not null
    group by 1

),

-- What the night before would have said of each order, had it been asked the way of tonight.
judged as (

    select
        orders.order_id,
        orders.source_customer_id,
        orders.ordered_date,
        orders.is_valid_order,
        case
            when late_orders.order_id is not null then false
            when cancelled_orders.order_id is not null or refunds_since.order_id is not null
                then (orders.is_sale or cancelled_orders.order_id is not null)
                    and orders.order_status not in ('pending', 'fraud')
                    and not orders.is_exchange
                    and orders.gross_amount > 0
                    {%- if var('order_rule') == 'net_positive' %}
                    and orders.gross_amount - orders.discount_amount - orders.refund_amount
                        + coalesce(refunds_since.refund_amount, 0) > 0
                    {%- endif %}
            else orders.is_valid_order
        end as was_valid_order,
        case
            when late_orders.order_id is not null then 'late_data'
            when cancelled_orders.order_id is not null then 'cancellation'
            when refunds_since.order_id is not null then 'full_refund'
        end as reason

    from orders
    left join late_orders on orders.order_id = late_orders.order_id
    left join cancelled_orders on orders.order_id = cancelled_orders.order_id
    left join refunds_since on orders.order_id = refunds_since.order_id

),

news_of_orders as (

    select * from judged
    where is_valid_order <> was_valid_order

),

known_merges as (

    select
        source_customer_id,
        max_by(person_id, known_as_of_date) as person_id,
        max_by(person_id, known_as_of_date)
            filter (where known_as_of_date <= previous_build.previous_as_of_date) as previous_person_id
    from {{ ref('int_identity__known_merges') }}
    cross join previous_build
    where known_as_of_date <= {{ as_of_date() }}
    group by 1

),

people as (

    select
        numbered.source_customer_id,
        coalesce(known_merges.person_id, numbered.public_id) as person_id,
        coalesce(known_merges.previous_person_id, numbered.public_id) as previous_person_id
    from {{ ref('int_identity__numbered') }} as numbered
    left join known_merges on numbered.source_customer_id = known_merges.source_customer_id

),

news as (

    select
        people.person_id,
        people.previous_person_id,
        news_of_orders.reason
    from news_of_orders
    inner join people on news_of_orders.source_customer_id = people.source_customer_id

    union all

    select
        person_id,
        previous_person_id,
        'identity_merge' as reason
    from people
    where person_id <> previous_person_id

),

news_of_people as (

    select
        person_id,
        {{ sorted_words('reason') }} as reasons
    from (
        select person_id, reason from news
        union
        select previous_person_id as person_id, reason from news
    ) as both_sides
    group by 1

),

final as (

    select
        -- keys
        judged.order_id,
        people.person_id,
        people.previous_person_id,

        -- attributes
        coalesce(now_news.reasons, before_news.reasons) as reasons,

        -- flags
        judged.is_valid_order,
        judged.was_valid_order,

        -- times
        judged.ordered_date

    from judged
    inner join people on judged.source_customer_id = people.source_customer_id
    left join news_of_people as now_news on people.person_id = now_news.person_id
    left join news_of_people as before_news on people.previous_person_id = before_news.person_id
    where
        (now_news.person_id is not null or before_news.person_id is not null)
        and (judged.is_valid_order or judged.was_valid_order)

)

select * from final

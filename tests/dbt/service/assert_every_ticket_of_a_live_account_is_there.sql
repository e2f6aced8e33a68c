-- Tickets and compensation, counted in staging without the steps in between.
with

staged as (

    select
        count(*) as tickets,
        coalesce(sum(
            case when coalesce({{ shop_day('tickets.resolved_at') }} <= {{ as_of_date() }}, true)
                then tickets.compensation_amount end
        ), 0) as compensation_amount
    from {{ ref('stg_support_tickets') }} as tickets
    where
        not tickets.is_deleted
        and {{ shop_day('tickets.opened_at') }} <= {{ as_of_date() }}
        and coalesce(tickets.customer_id, '') not in (
            select source_customer_id from {{ ref('int_identity__map') }} where is_test
        )
        and coalesce(tickets.order_id, '') not in (
            select order_id from {{ ref('int_orders__valued') }} where is_test_order
        )

),

marts as (

    select
        count(*) as tickets,
        coalesce(sum(compensation_amount), 0) as compensation_amount
    from {{ ref('fct_support_tickets') }}

)

select
    staged.tickets as staged_tickets,
    marts.tickets as mart_tickets,
    staged.compensation_amount as staged_compensation_amount,
    marts.compensation_amount as mart_compensation_amount

from staged
cross join marts
where staged.tickets <> marts.tickets or staged.compensation_amount <> marts.compensation_amount

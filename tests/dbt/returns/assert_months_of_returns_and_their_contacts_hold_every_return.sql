-- Returns with a line of a live order, counted in staging without the steps in between.
with

staged as (

    select count(distinct returns.return_id) as returns
    from {{ ref('stg_returns') }} as returns
    inner join {{ ref('stg_return_items') }} as return_items on returns.return_id = return_items.return_id
    inner join {{ ref('fct_order_lines') }} as order_lines on return_items.order_line_id = order_lines.order_line_id
    where
        not returns.is_deleted
        and not return_items.is_deleted
        and {{ shop_day('returns.requested_at') }} <= {{ as_of_date() }}

),

months as (

    select
        coalesce(sum(case when return_channel = 'all' then returns end), 0) as returns,
        coalesce(sum(case when return_channel <> 'all' then returns end), 0) as returns_of_channels
    from {{ ref('fct_return_contact_months') }}

)

select
    staged.returns as staged_returns,
    months.returns as mart_returns,
    months.returns_of_channels

from staged
cross join months
where staged.returns <> months.returns or staged.returns <> months.returns_of_channels

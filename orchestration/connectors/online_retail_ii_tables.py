"""Online Retail II: the SELECT of each table, over the relations that the connector prepares.

`lines` holds every row of the export with key and problem, `current_lines` the newest row of
each key without a problem, `cancelled` the rows of cancellations with the sale that they take
back.
"""

TABLES = {
    "customers": """
        select
            lines.customer_id,
            max_by(countries.country_code, lines._row_number) as country_code,
            min(lines._row_number) as _row_number
        from lines
        left join countries on lines.country = countries.country
        where lines.customer_id is not null and lines._problem is null
        group by 1
        order by 3
    """,
    "products": """
        select
            lines.stock_code as variant_id,
            lines.stock_code as product_id,
            lines.stock_code as sku,
            -- Rows that are no sale carry remarks such as 'damages' in place of the name.
            coalesce(
                max_by(trim(description), _row_number)
                    filter (description is not null and problem is null),
                max_by(trim(description), _row_number) filter (description is not null)
            ) as title,
            case
                when starts_with(lines.stock_code, 'GIFT') then 'gift_card'
                when bool_or(not_a_product.stock_code is not null) then 'not_a_product'
                else 'product'
            end as category_l1,
            case when starts_with(lines.stock_code, 'GIFT') then 'true' else 'false' end
                as is_gift_card,
            min(_row_number) as _row_number
        from lines
        left join not_a_product on lines.stock_code = not_a_product.stock_code
        where lines.stock_code is not null and lines._problem is null
        group by lines.stock_code
        order by _row_number
    """,
    "orders": """
        with

        invoices as (

            select
                invoice,
                min_by(customer_id, _row_number) as customer_id,
                min_by(country, _row_number) as country,
                min(invoiced_at) as ordered_at,
                sum(quantity * price) as amount,
                min(_row_number) as _row_number

            from current_lines
            where not is_cancellation
            group by 1

        ),

        running as (

            select
                *,
                sum(amount) over (
                    partition by customer_id is null
                    order by ordered_at, invoice
                    rows unbounded preceding
                ) as amount_so_far

            from invoices

        )

        select
            invoice as order_id,
            customer_id,
            strftime(ordered_at, '%Y-%m-%d %H:%M:%S') as ordered_at,
            'paid' as status,
            'GBP' as currency,
            cast(
                cast(round(amount_so_far, 2) - round(amount_so_far - amount, 2) as decimal(18, 2))
                as varchar
            ) as gross_item_amount,
            gross_item_amount as total_amount,
            countries.country_code as shipping_country,
            _row_number

        from running
        left join countries on running.country = countries.country
        order by _row_number
    """,
    "order_lines": """
        select
            line_id as order_line_id,
            invoice as order_id,
            stock_code as variant_id,
            coalesce(cast(quantity as varchar), quantity_text) as quantity,
            price_text as unit_price,
            problem as _problem,
            _raw,
            _row_number
        from lines
        where not is_cancellation
        order by _row_number
    """,
    "returns": """
        select
            return_id,
            max(order_id) as order_id,
            strftime(min(invoiced_at), '%Y-%m-%d %H:%M:%S') as requested_at,
            strftime(min(invoiced_at), '%Y-%m-%d %H:%M:%S') as received_at,
            'received' as status,
            case
                when max(order_id) is null then 'no sale is known for these lines'
            end as _problem,
            min(_row_number) as _row_number
        from cancelled
        group by 1
        order by _row_number
    """,
    "return_items": """
        select
            line_id as return_item_id,
            return_id,
            order_line_id,
            coalesce(cast(-quantity as varchar), quantity_text) as quantity,
            'other' as reason_code,
            return_problem as _problem,
            _raw,
            _row_number
        from cancelled
        order by _row_number
    """,
    "refunds": """
        select
            return_id as refund_id,
            order_line_id,
            order_id,
            return_id,
            cast(cast(round(sum(-quantity * price), 2) as decimal(18, 2)) as varchar) as amount,
            'original' as refund_destination,
            'cancellation' as reason,
            strftime(min(invoiced_at), '%Y-%m-%d %H:%M:%S') as issued_at,
            min(_row_number) as _row_number
        from (
            select * from cancelled
            where order_line_id is not null
            qualify row_number() over (partition by line_id order by _row_number desc) = 1
        )
        group by 1, 2, 3, 4
        order by _row_number
    """,
}

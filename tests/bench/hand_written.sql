-- The core marts of the warehouse as one hand-written DuckDB script over the same Parquet deliveries: what somebody who
-- knows DuckDB and these definitions would write without any of the warehouse around it. bench_night.py runs it beside
-- the night and compares their numbers.
--
-- Before it, the caller sets two variables: `inbox` (folder of the Parquet deliveries) and `as_of_date`. The constants are
-- those of dbt_project.yml, written where they are used. The engine's time zone is UTC.
--
-- What the night does beyond it: keeps every delivery as a batch with its hash; reads any format and types text; judges
-- every row and quarantines the broken with a reason; keeps all versions and deletions and grows by delivery; lifecycle
-- stages and their moves, returns by reason and decile, deliveries, memberships (terms, movements, MRR, renewals), value,
-- personal cycles, survival and pooled curves, monthly figures; fits and scores every customer; tests every key, rule and
-- identity; publishes a verified copy and Parquet. What the script does like the night: newest version of each key, one
-- person behind several accounts, currencies, dated costs, refunds both ways, contribution margin, all cohorts.

set preserve_insertion_order = false;

create macro delivered(name) as table
    select * from read_parquet(
        getvariable('inbox') || '/' || name || '*.parquet', union_by_name = true, filename = true, file_row_number = true
    );
create macro shop_day(utc) as cast(timezone('Europe/London', timezone('UTC', utc)) as date);
create macro as_of() as getvariable('as_of_date');
create macro in_shop(amount, currency, rate) as
    cast(round(cast(amount as double) * case when coalesce(currency, 'GBP') = 'GBP' then 1 else rate end, 2) as decimal(18, 2));
create macro email_key(email) as
    case when lower(trim(email)) like '_%@_%' then md5(regexp_replace(lower(trim(email)), '(.)[+][^@]*@', '\1@')) end;
create macro name_key(first_name, last_name) as
    case when coalesce(first_name, last_name) is not null then lower(trim(coalesce(first_name, ''))) || '|'
        || lower(trim(coalesce(last_name, ''))) end;
create macro months_between(first_day, last_day) as
    (year(last_day) - year(first_day)) * 12 + month(last_day) - month(first_day);
create macro wilson(successes, trials, side) as
    (2 * successes + 3.841458820694124e0
        + side * 1.959963984540054e0 * sqrt(3.841458820694124e0 + 4 * successes * (1 - successes / trials)))
    / (2 * (trials + 3.841458820694124e0));

---------------------------------------------------------------------------------------------------- newest versions

create temp table orders as
select
    order_id, customer_id, coalesce(customer_id, 'guest:' || email_key(email)) as source_customer_id,
    email_key(email) as email_key, ordered_at, shop_day(ordered_at) as ordered_date, shop_day(cancelled_at) as cancelled_date,
    coalesce(status, 'paid') as status, channel, device_type, checkout_method, coalesce(currency, 'GBP') as currency,
    fx_rate_to_shop, promo_codes, coalesce(is_test, false) as is_test, coalesce(is_exchange, false) as is_exchange,
    exchange_of_order_id, shipping_country, updated_at, shop_day(updated_at) as updated_date,
    in_shop(gross_item_amount, currency, fx_rate_to_shop) as gross_amount,
    in_shop(discount_amount, currency, fx_rate_to_shop) as discount_amount,
    coalesce(in_shop(shipping_amount, currency, fx_rate_to_shop), 0) as shipping_amount,
    in_shop(tax_amount, currency, fx_rate_to_shop) as tax_amount,
    in_shop(total_amount - coalesce(shipping_amount, 0), currency, fx_rate_to_shop) as total_without_shipping_amount,
    coalesce(in_shop(payment_fee_amount, currency, fx_rate_to_shop), 0) as payment_fee_amount,
    in_shop(shipping_cost_amount, currency, fx_rate_to_shop) as shipping_cost_amount
from delivered('orders')
where shop_day(ordered_at) <= as_of()
qualify row_number() over (
    partition by order_id order by updated_at desc nulls last, filename desc, file_row_number desc
) = 1;

create temp table customers as
select customer_id, email_key(email) as email_key, created_at, updated_at, coalesce(is_test, false) as is_test,
    name_key(first_name, last_name) as name_key, country_code, acquisition_channel, account_state
from delivered('customers')
qualify row_number() over (
    partition by customer_id order by updated_at desc nulls last, filename desc, file_row_number desc
) = 1;

create temp table memberships as
select membership_id, customer_id, joined_at, ended_at, status
from delivered('memberships')
qualify row_number() over (
    partition by membership_id order by updated_at desc nulls last, filename desc, file_row_number desc
) = 1;

create temp table products as
select variant_id, product_id, brand, category_l1, category_l2, category_l3, coalesce(is_gift_card, false) as is_gift_card
from delivered('products')
qualify row_number() over (partition by variant_id order by filename desc, file_row_number desc) = 1;

-- A cost holds until the next one; the first also serves the days before it.
create temp table product_costs as
select
    variant_id, coalesce(unit_cost, 0) + coalesce(handling_cost, 0) as unit_cost,
    case when row_number() over by_day = 1 then date '1900-01-01' else valid_from end as valid_from,
    coalesce(lead(valid_from) over by_day - 1, date '9999-12-31') as valid_to
from (
    select * from delivered('product_costs')
    qualify row_number() over (partition by variant_id, valid_from order by filename desc, file_row_number desc) = 1
)
window by_day as (partition by variant_id order by valid_from);

create temp table shipments as
select order_id, shop_day(shipped_at) as shipped_date, shop_day(promised_at_first) as promised_date,
    case when shop_day(delivered_at) <= as_of() then shop_day(delivered_at) end as delivered_date,
    delivery_status, cost_amount
from (
    select * from delivered('shipments')
    qualify row_number() over (partition by shipment_id order by filename desc, file_row_number desc) = 1
)
where shop_day(shipped_at) <= as_of();

-------------------------------------------------------------------------------------------------------------- people

create temp table accounts as
with seen as (
    select customer_id as account, email_key, name_key, null as guest_order, created_at as seen_at,
        is_test as is_test_account, is_test
    from customers
    where created_at is null or shop_day(created_at) <= as_of()
    union all
    select source_customer_id, email_key, null,
        case when customer_id is null then concat_ws('|', ordered_at, order_id) end, ordered_at, false, is_test
    from orders where source_customer_id is not null
    union all
    select customer_id, null, null, null, joined_at, false, false from memberships where shop_day(joined_at) <= as_of()
)
select account, email_key, min(name_key) as name_key, min(guest_order) as guest_order, min(seen_at) as first_seen_at,
    bool_or(is_test_account) as is_test_account,
    bool_and(is_test) as has_only_tests
from seen
group by all;

-- A guest is named after the first order, and not after the address.
create temp table account_numbers as
select account, coalesce('guest:' || md5(min(guest_order)), account) as public_id, min(name_key) as name_key,
    min(first_seen_at) as first_seen_at, bool_or(is_test_account) or bool_and(has_only_tests) as is_test,
    row_number() over (order by min(first_seen_at) nulls last, account) as account_number
from accounts
group by account;

-- Accounts that share an address are one person (an address under more than ten names is a till): of all accounts that
-- can be reached, the smallest number wins.
create temp table people as
with recursive shared as materialized (
    select accounts.account, account_number, accounts.email_key
    from accounts
    inner join account_numbers using (account)
    where accounts.email_key is not null and not is_test
        and accounts.email_key in (
            select email_key from accounts inner join account_numbers using (account)
            where not is_test
            group by email_key
            having count(*) > 1 and count(distinct coalesce(account_numbers.name_key, account)) <= 10
        )
),
reached as (
    select account, account_number from shared
    union
    select one.account, reached.account_number
    from reached
    inner join shared as other on reached.account = other.account
    inner join shared as one on other.email_key = one.email_key
    where reached.account_number < one.account_number
),
persons as (
    select account, min(account_number) as account_number from reached group by account
)
select account_numbers.account, coalesce(first_account.public_id, account_numbers.public_id) as customer_id,
    account_numbers.is_test, account_numbers.first_seen_at
from account_numbers
left join persons on account_numbers.account = persons.account
left join account_numbers as first_account on persons.account_number = first_account.account_number;

--------------------------------------------------------------------------------------------------------------- lines

create temp table lines as
select
    lines.order_line_id, lines.order_id, lines.variant_id, lines.quantity,
    in_shop(lines.quantity * lines.unit_price, orders.currency, orders.fx_rate_to_shop) as gross_amount,
    in_shop(coalesce(lines.discount_amount, 0), orders.currency, orders.fx_rate_to_shop) as discount_amount,
    in_shop(coalesce(lines.tax_amount, 0), orders.currency, orders.fx_rate_to_shop) as tax_amount,
    cast(coalesce(lines.quantity * product_costs.unit_cost, 0) as decimal(18, 2)) as cogs_amount,
    product_costs.variant_id is not null as is_cost_known,
    coalesce(products.is_gift_card, false) as is_gift_card,
    coalesce(lines.is_gift_insert, false) as is_gift_insert
from (
    select order_line_id, order_id, variant_id, quantity, unit_price, discount_amount, tax_amount, is_gift_insert
    from delivered('order_lines')
    qualify row_number() over (partition by order_line_id order by filename desc, file_row_number desc) = 1
) as lines
inner join orders using (order_id)
left join products using (variant_id)
left join product_costs
    on lines.variant_id = product_costs.variant_id
    and orders.ordered_date between product_costs.valid_from and product_costs.valid_to;

-- Money back, and goods back.
create temp table refunds as
with known as (
    select * from delivered('refunds')
    qualify row_number() over (
        partition by refund_id, coalesce(order_line_id, '') order by filename desc, file_row_number desc
    ) = 1
),
-- An order that only its status calls refunded came back whole on the day of that version.
by_status as (
    select orders.* from orders
    where orders.status = 'refunded' and coalesce(orders.updated_date <= as_of(), true)
        and orders.order_id not in (select order_id from known)
),
by_status_lines as (
    select order_id, sum(discount_amount) as discount_amount, sum(tax_amount) as tax_amount
    from lines semi join by_status using (order_id) group by order_id
),
all_refunds as (
    select refund_id, order_line_id, order_id, return_id,
        in_shop(amount, orders.currency, orders.fx_rate_to_shop) as refund_amount,
        coalesce(in_shop(known.tax_amount, orders.currency, orders.fx_rate_to_shop), 0) as tax_amount,
        coalesce(in_shop(known.shipping_amount, orders.currency, orders.fx_rate_to_shop), 0) as shipping_amount,
        refund_destination, 'refund' as refund_source, issued_at as refunded_at
    from known inner join orders using (order_id)
    where shop_day(issued_at) <= as_of()
    union all
    select 'status:' || order_id, null, order_id, null,
        coalesce(by_status.gross_amount, total_without_shipping_amount
            - coalesce(by_status.tax_amount, by_status_lines.tax_amount, 0)
            + coalesce(by_status.discount_amount, by_status_lines.discount_amount, 0))
            - coalesce(by_status.discount_amount, by_status_lines.discount_amount, 0),
        coalesce(by_status.tax_amount, by_status_lines.tax_amount, 0), shipping_amount, null, 'order_status',
        greatest(coalesce(updated_at, ordered_at), ordered_at)
    from by_status left join by_status_lines using (order_id)
),
gift_card_orders as (
    select order_id, sum(gross_amount - discount_amount) filter (is_gift_card)
        / nullif(cast(sum(gross_amount - discount_amount) as double), 0) as gift_card_share
    from lines semi join (select order_id from lines where is_gift_card) as gifts using (order_id)
    group by order_id
)
select
    all_refunds.*,
    cast(case
        when gift_lines.order_line_id is not null then refund_amount
        when all_refunds.order_line_id is null and gift_card_orders.order_id is not null
            then round(refund_amount * coalesce(gift_card_share, 0), 2)
        else 0
    end as decimal(18, 2)) as gift_card_refund_amount,
    orders.ordered_date, shop_day(refunded_at) as refunded_date, people.customer_id
from all_refunds
inner join orders on all_refunds.order_id = orders.order_id
left join people on orders.source_customer_id = people.account
left join (select order_line_id from lines where is_gift_card) as gift_lines
    on all_refunds.order_line_id = gift_lines.order_line_id
left join gift_card_orders on all_refunds.order_id = gift_card_orders.order_id;

create temp table returned as
with returns as (
    select * from delivered('returns')
    qualify row_number() over (partition by return_id order by filename desc, file_row_number desc) = 1
),
items as (
    select * from delivered('return_items')
    qualify row_number() over (partition by return_item_id order by filename desc, file_row_number desc) = 1
),
parcels as (
    select items.*, returns.received_at, coalesce(return_shipping_cost, 0) as parcel_cost,
        coalesce(restocking_fee, 0) as parcel_fee, quantity / sum(quantity) over (partition by return_id) as share
    from items inner join returns using (return_id)
    where shop_day(requested_at) <= as_of()
)
select
    lines.order_id, parcels.order_line_id, parcels.quantity,
    cast(round(share * cast(parcel_cost as double), 2) as decimal(18, 2))
        - cast(round(share * cast(parcel_fee as double), 2) as decimal(18, 2)) as return_cost_amount,
    cast(case when disposition = 'restock'
        then round(cast(cogs_amount as double) * (cast(parcels.quantity as double) / lines.quantity), 2) else 0
    end as decimal(18, 2)) as cogs_recovered_amount
from parcels inner join lines using (order_line_id)
where shop_day(received_at) <= as_of();

-------------------------------------------------------------------------------------------------------------- orders

create temp table valued as
with lines_per_order as (
    select order_id, count(*) as line_count, cast(sum(quantity) as bigint) as unit_count,
        sum(discount_amount) as discount_amount, sum(tax_amount) as tax_amount, sum(cogs_amount) as cogs_amount,
        coalesce(sum(gross_amount - discount_amount) filter (is_gift_card), 0) as gift_card_amount,
        bool_and(is_cost_known) as is_cost_known
    from lines group by order_id
),
refunds_per_order as (
    select order_id, sum(refund_amount) as refund_amount, sum(gift_card_refund_amount) as gift_card_refund_amount,
        sum(shipping_amount) as refunded_shipping_amount
    from refunds group by order_id
),
returns_per_order as (
    select order_id, sum(return_cost_amount) as return_cost_amount, sum(cogs_recovered_amount) as cogs_recovered_amount
    from returned group by order_id
),
parcels_per_order as (
    select order_id, sum(cost_amount) as shipment_cost_amount, min(shipped_date) as shipped_date,
        case when count(delivered_date) = count(*) then max(delivered_date) end as delivered_date,
        max(coalesce(delivered_date, shipped_date)) as last_known_date,
        case when bool_or(not kept) then false when count(kept) = count(*) then true end as promise_kept
    from (
        select *, case
            when promised_date is null then null
            when delivered_date is not null then delivered_date <= promised_date
            when promised_date <= as_of() and delivery_status is not null and delivery_status <> 'delivered' then false
        end as kept
        from shipments
    )
    group by order_id
),
member_orders as (
    select distinct order_id
    from memberships
    inner join people as members on memberships.customer_id = members.account
    inner join people as accounts on members.customer_id = accounts.customer_id
    inner join orders on accounts.account = orders.source_customer_id
    where orders.ordered_at >= joined_at and (ended_at is null or orders.ordered_at < ended_at)
),
amounts as (
    select
        orders.order_id, people.customer_id, orders.source_customer_id, orders.exchange_of_order_id,
        coalesce(line_count, 0) as line_count, coalesce(unit_count, 0) as unit_count,
        coalesce(orders.discount_amount, lines_per_order.discount_amount, 0) as discount_amount,
        coalesce(orders.tax_amount, lines_per_order.tax_amount, 0) as tax_amount,
        coalesce(orders.gross_amount, total_without_shipping_amount
            - coalesce(orders.tax_amount, lines_per_order.tax_amount, 0)
            + coalesce(orders.discount_amount, lines_per_order.discount_amount, 0)) as gross_amount,
        orders.shipping_amount, orders.payment_fee_amount,
        coalesce(gift_card_amount, 0) as gift_card_amount,
        coalesce(refund_amount, 0) as refund_amount,
        coalesce(refund_amount, 0) - coalesce(gift_card_refund_amount, 0) as net_refund_amount,
        coalesce(refunded_shipping_amount, 0) as refunded_shipping_amount,
        coalesce(cogs_amount, 0) - coalesce(cogs_recovered_amount, 0) as cogs_amount,
        coalesce(orders.shipping_cost_amount, shipment_cost_amount, 0) as shipping_cost_amount,
        coalesce(return_cost_amount, 0) as return_cost_amount,
        coalesce(lines_per_order.is_cost_known, false) as is_cost_known,
        status, coalesce(channel, 'unknown') as channel, coalesce(device_type, 'unknown') as device_type,
        coalesce(checkout_method, 'unknown') as checkout_method, shipping_country as country_code, promo_codes, currency,
        is_exchange, member_orders.order_id is not null as is_member_order,
        status not in ('pending', 'fraud')
            and not ((status = 'cancelled' or cancelled_date is not null) and coalesce(cancelled_date <= as_of(), true))
            as is_sale,
        ordered_at, ordered_date, shipped_date, delivered_date, last_known_date, promise_kept
    from orders
    left join people on orders.source_customer_id = people.account
    left join lines_per_order using (order_id)
    left join refunds_per_order using (order_id)
    left join returns_per_order using (order_id)
    left join parcels_per_order using (order_id)
    left join member_orders using (order_id)
    where not (orders.is_test or coalesce(people.is_test, false))
)
select
    *,
    gross_amount - discount_amount - gift_card_amount as net_before_refunds_amount,
    gross_amount - discount_amount - gift_card_amount - net_refund_amount as net_amount,
    gross_amount - discount_amount - gift_card_amount - net_refund_amount + shipping_amount - refunded_shipping_amount
        - cogs_amount - shipping_cost_amount - payment_fee_amount - return_cost_amount as contribution_margin_amount,
    is_sale and not is_exchange and gross_amount > 0 and gross_amount - discount_amount - refund_amount > 0
        as is_valid_order
from amounts;

create schema marts;

create table marts.fct_orders as
with numbered as (
    select order_id, row_number() over customer_orders as order_number,
        ordered_date - lag(ordered_date) over customer_orders as days_since_previous_order
    from valued where is_valid_order and customer_id is not null
    window customer_orders as (partition by customer_id order by ordered_at, order_id)
)
select
    order_id, customer_id, case when source_customer_id not like 'guest:%' then source_customer_id end as source_customer_id,
    exchange_of_order_id, order_number, days_since_previous_order, line_count,
    unit_count, gross_amount, discount_amount, cast(gift_card_amount as decimal(18, 2)) as gift_card_amount, shipping_amount,
    tax_amount,
    cast(gross_amount - discount_amount + shipping_amount + tax_amount as decimal(18, 2)) as total_amount,
    cast(refund_amount as decimal(18, 2)) as refund_amount,
    cast(net_refund_amount as decimal(18, 2)) as net_refund_amount,
    cast(net_before_refunds_amount as decimal(18, 2)) as net_before_refunds_amount,
    cast(net_amount as decimal(18, 2)) as net_amount, cast(cogs_amount as decimal(18, 2)) as cogs_amount,
    cast(shipping_cost_amount as decimal(18, 2)) as shipping_cost_amount, payment_fee_amount,
    cast(return_cost_amount as decimal(18, 2)) as return_cost_amount,
    cast(contribution_margin_amount as decimal(18, 2)) as contribution_margin_amount, 'GBP' as currency_code,
    status as order_status, channel, device_type, checkout_method, country_code, currency as order_currency_code,
    is_sale, is_valid_order, is_exchange,
    is_sale and refund_amount > 0 and refund_amount >= gross_amount - discount_amount as is_fully_refunded,
    is_member_order, promo_codes is not null or discount_amount > 0 as is_promo_order, is_cost_known, promise_kept,
    coalesce(last_known_date, ordered_date) + 30 > as_of() as is_return_window_open,
    ordered_at, ordered_date, shipped_date, delivered_date, as_of() as as_of_date
from valued left join numbered using (order_id);

create table marts.fct_order_lines as
select
    order_line_id, order_id, valued.customer_id, lines.variant_id, quantity, lines.gross_amount, lines.discount_amount,
    cast(lines.gross_amount - lines.discount_amount as decimal(18, 2)) as net_before_refunds_amount, lines.tax_amount,
    lines.cogs_amount, cast(coalesce(line_refunds.refund_amount, 0) as decimal(18, 2)) as line_refund_amount,
    'GBP' as currency_code, product_id, brand, category_l1, category_l2, category_l3, is_sale, is_valid_order,
    lines.is_gift_card, is_gift_insert, lines.is_cost_known, ordered_date, as_of() as as_of_date
from lines
inner join valued using (order_id)
left join products on lines.variant_id = products.variant_id
left join (
    select order_line_id, sum(refund_amount) as refund_amount from refunds where order_line_id is not null group by 1
) as line_refunds using (order_line_id);

create table marts.fct_refunds as
select
    refund_id, refunds.order_id, order_line_id, return_id, refunds.customer_id, refunds.refund_amount,
    gift_card_refund_amount, cast(refunds.refund_amount - gift_card_refund_amount as decimal(18, 2)) as net_refund_amount,
    refunds.tax_amount, refunds.shipping_amount, refunded_date - refunds.ordered_date as days_to_refund,
    'GBP' as currency_code, refund_destination, refund_source, is_sale, refunds.ordered_date, refunded_date,
    as_of() as as_of_date
from refunds inner join valued using (order_id);

----------------------------------------------------------------------------------------------------------- customers

create temp table occasions as
with days as (
    select customer_id, ordered_date, count(*) as order_count, sum(gross_amount) as gross_amount,
        sum(net_amount) as net_amount, sum(contribution_margin_amount) as contribution_margin_amount,
        arg_min(channel, (ordered_at, order_id)) as channel, arg_min_null(country_code, (ordered_at, order_id)) as country_code,
        bool_or(promo_codes is not null or discount_amount > 0) as is_promo_order
    from valued where is_valid_order and customer_id is not null
    group by all
)
select
    *, row_number() over by_day as occasion_number, lag(ordered_date) over by_day as previous_date,
    first_value(ordered_date) over by_day as first_date
from days
window by_day as (partition by customer_id order by ordered_date);

create temp table buyers as
select
    customer_id, count(*) as occasion_count, sum(net_amount) as net_amount,
    arg_min(channel, ordered_date) as first_channel, arg_min(country_code, ordered_date) as country_code,
    bool_or(is_promo_order and occasion_number = 1) as is_first_order_promo,
    min(ordered_date) as first_date, max(ordered_date) as last_date,
    cast(date_trunc('month', min(ordered_date)) as date) as cohort_month,
    min(ordered_date) < (select min(ordered_date) + 180 from occasions) as is_left_truncated
from occasions group by customer_id;

create table marts.dim_customers as
with accounts_per_person as (
    select people.customer_id, count(*) as account_count, min(first_seen_at) as first_seen_at,
        arg_min(acquisition_channel, (first_seen_at, account)) as acquisition_channel,
        arg_max(country_code, coalesce(updated_at, created_at)) as country_code,
        min(case account_state when 'enabled' then 1 when 'invited' then 2 when 'disabled' then 3 when 'guest' then 4 end)
            as state_rank
    from people left join customers on people.account = customers.customer_id
    where not people.is_test
    group by people.customer_id
),
sales as (
    select customer_id, count(*) as sale_count, count(*) filter (is_valid_order) as order_count,
        count(*) filter (refund_amount > 0 and refund_amount >= gross_amount - discount_amount)
            as fully_refunded_order_count,
        sum(gross_amount) as gross_amount, sum(discount_amount) as discount_amount,
        sum(net_refund_amount) as net_refund_amount, sum(net_amount) as net_amount,
        sum(contribution_margin_amount) as contribution_margin_amount
    from valued where is_sale and customer_id is not null
    group by customer_id
),
spend as (
    select valued.customer_id, coalesce(category_l1, 'unknown') as category,
        sum(lines.gross_amount - lines.discount_amount) as first_day_amount
    from lines
    inner join valued using (order_id)
    inner join buyers on valued.customer_id = buyers.customer_id and valued.ordered_date = buyers.first_date
    left join products on lines.variant_id = products.variant_id
    where is_valid_order and not is_gift_insert
    group by all
),
first_categories as (
    select customer_id, category as first_category from spend
    qualify row_number() over (partition by customer_id order by first_day_amount desc, category) = 1
),
members as (
    select distinct people.customer_id
    from memberships inner join people on memberships.customer_id = people.account
    where shop_day(joined_at) <= as_of()
        and coalesce(shop_day(ended_at) > as_of(), coalesce(status, 'active') <> 'ended')
)
select
    persons.customer_id, account_count, coalesce(sale_count, 0) as sale_count, coalesce(order_count, 0) as order_count,
    coalesce(occasion_count, 0) as occasion_count,
    coalesce(fully_refunded_order_count, 0) as fully_refunded_order_count,
    cast(coalesce(sales.gross_amount, 0) as decimal(18, 2)) as gross_amount,
    cast(coalesce(sales.discount_amount, 0) as decimal(18, 2)) as discount_amount,
    cast(coalesce(sales.net_refund_amount, 0) as decimal(18, 2)) as net_refund_amount,
    cast(coalesce(sales.net_amount, 0) as decimal(18, 2)) as net_amount,
    cast(coalesce(sales.contribution_margin_amount, 0) as decimal(18, 2)) as contribution_margin_amount,
    'GBP' as currency_code, first_channel, first_category,
    coalesce(persons.country_code, buyers.country_code) as country_code, acquisition_channel,
    ['enabled', 'invited', 'disabled', 'guest'][state_rank] as account_state,
    coalesce(is_first_order_promo, false) as is_first_order_promo, members.customer_id is not null as is_member_now,
    coalesce(is_left_truncated, false) as is_left_truncated, shop_day(first_seen_at) as first_seen_date,
    first_date as first_ordered_date, last_date as last_ordered_date, cohort_month, as_of() as as_of_date
from accounts_per_person as persons
left join buyers on persons.customer_id = buyers.customer_id
left join sales on persons.customer_id = sales.customer_id
left join first_categories on persons.customer_id = first_categories.customer_id
left join members on persons.customer_id = members.customer_id;

create table marts.fct_customer_rfm as
select
    *, cast(floor((frequency_score + monetary_score) / 2.0 + 0.5) as integer) as frequency_monetary_score,
    'GBP' as currency_code, as_of() as as_of_date
from (
    select
        customer_id, as_of() - last_date as recency_days, occasion_count as frequency, net_amount as monetary_amount,
        cast(1 + least(4, floor(5 * percent_rank() over (order by last_date))) as integer) as recency_score,
        cast(1 + least(4, floor(5 * percent_rank() over (order by occasion_count))) as integer) as frequency_score,
        cast(1 + least(4, floor(5 * percent_rank() over (order by net_amount))) as integer) as monetary_score
    from buyers
);

create table marts.fct_customer_churn as
select
    customer_id, as_of() - last_date as days_since_last_order, occasion_count, occasion_count = 1 as is_one_time_buyer,
    as_of() - last_date > 180 as is_lapsed_fixed, last_date as last_ordered_date, as_of() as as_of_date
from buyers;

------------------------------------------------------------------------------------------------------------- cohorts

-- Customers of a cohort that were active at an age, in three cuts of the customers: all, first channel, country.
create temp table cohort_ages as
with aged as (
    select
        occasions.customer_id, buyers.cohort_month, first_channel,
        coalesce(buyers.country_code, 'unknown') as country, occasion_number, order_count, occasions.net_amount,
        contribution_margin_amount, ordered_date = last_date as is_last,
        months_between(buyers.first_date, ordered_date) as age_month, (ordered_date - buyers.first_date) // 30 as age_30d,
        ordered_date - buyers.first_date as age_days
    from occasions inner join buyers using (customer_id)
),
units as (
    select *, 'month' as age_unit, age_month as age from aged
    union all
    select *, '30_days', age_30d from aged
    union all
    select *, 'days', case
        when age_days between 1 and 30 then 1 when age_days between 31 and 90 then 31
        when age_days between 91 and 180 then 91 when age_days between 181 and 365 then 181
    end from aged where age_days between 1 and 365
),
-- One row per customer and bucket first, so that nothing has to be counted distinct afterwards.
customer_ages as (
    select customer_id, cohort_month, first_channel, country, age_unit, age, bool_or(occasion_number = 2) as has_second,
        bool_or(is_last) as is_last, sum(order_count) as order_count, sum(net_amount) as net_amount,
        sum(contribution_margin_amount) as contribution_margin_amount
    from units group by all
)
select
    cohort_month,
    case when grouping(first_channel) = 0 then 'first_channel' when grouping(country) = 0 then 'country' else 'all' end
        as segment_type,
    coalesce(first_channel, country, 'all') as segment, age_unit, age, count(*) as active_customers,
    count(*) filter (has_second) as second_occasion_customers, count(*) filter (is_last) as last_active_customers,
    sum(order_count) as order_count, sum(net_amount) as net_amount, sum(contribution_margin_amount) as margin_amount
from customer_ages
group by grouping sets (
    (cohort_month, age_unit, age), (cohort_month, age_unit, age, first_channel), (cohort_month, age_unit, age, country)
);

create temp table cohort_cells as
with sizes as (
    select cohort_month,
        case when grouping(first_channel) = 0 then 'first_channel' when grouping(country) = 0 then 'country' else 'all' end
            as segment_type,
        coalesce(first_channel, country, 'all') as segment, count(*) as cohort_size
    from (select cohort_month, first_channel, coalesce(country_code, 'unknown') as country from buyers)
    group by grouping sets ((cohort_month), (cohort_month, first_channel), (cohort_month, country))
),
months as (
    select cohort_month, last_day(cohort_month) as cohort_end, bool_or(is_left_truncated) as is_left_truncated
    from buyers group by cohort_month
),
windows as (
    select cohort_month, is_left_truncated, 'month' as age_unit, cast(n as bigint) as age,
        last_day(cast(cohort_month + to_months(cast(n as integer)) as date)) as window_end_date
    from months, range(1200) as ages(n) where n <= months_between(cohort_month, as_of())
    union all
    select cohort_month, is_left_truncated, '30_days', n, cohort_end + cast(30 * (n + 1) - 1 as integer)
    from months, range(1200) as ages(n) where 30 * n <= as_of() - cohort_month
    union all
    select cohort_month, is_left_truncated, 'days', first_day, cohort_end + last_day_n
    from months, (values (1, 30), (31, 90), (91, 180), (181, 365)) as brackets(first_day, last_day_n)
    where as_of() - cohort_month >= first_day
)
select
    sizes.cohort_month, sizes.segment_type, sizes.segment, windows.age_unit, windows.age, cohort_size, window_end_date,
    window_end_date <= as_of() as is_mature, is_left_truncated,
    coalesce(active_customers, 0) as active_customers,
    coalesce(second_occasion_customers, 0) as second_occasion_customers,
    sum(coalesce(last_active_customers, 0)) over from_here as rolling_customers,
    sum(coalesce(second_occasion_customers, 0)) over from_here as rolling_second_customers,
    coalesce(order_count, 0) as order_count, coalesce(net_amount, 0) as net_amount,
    coalesce(margin_amount, 0) as margin_amount
from sizes
inner join windows on sizes.cohort_month = windows.cohort_month
left join cohort_ages
    on sizes.cohort_month = cohort_ages.cohort_month and sizes.segment_type = cohort_ages.segment_type
    and sizes.segment = cohort_ages.segment and windows.age_unit = cohort_ages.age_unit and windows.age = cohort_ages.age
window from_here as (
    partition by sizes.cohort_month, sizes.segment_type, sizes.segment, windows.age_unit
    order by windows.age desc rows between unbounded preceding and current row
);

create table marts.fct_cohort_retention as
with counted as (
    select *, case when age_unit = 'days' then 'bracket' else 'bounded' end as retention_type,
        active_customers as retained, case when age = 0 then second_occasion_customers else active_customers end as repeats
    from cohort_cells
    union all
    select *, 'rolling', rolling_customers, case when age = 0 then rolling_second_customers else rolling_customers end
    from cohort_cells where age_unit <> 'days'
)
select
    cohort_month, segment_type, segment, retention_type, age_unit, age, cohort_size,
    case when is_mature then cohort_size end as eligible_customers,
    case when is_mature then cast(retained as bigint) end as retained_customers,
    case when is_mature then cast(repeats as bigint) end as repeat_customers,
    case when is_mature then retained / cast(cohort_size as double) end as retention_rate,
    case when is_mature then
        case when retained = 0 then 0 else wilson(cast(retained as double), cast(cohort_size as double), -1) end
    end as ci_low,
    case when is_mature then case when retained = cohort_size then 1
        else wilson(cast(retained as double), cast(cohort_size as double), 1) end end as ci_high,
    cast(retained as bigint) as retained_so_far, is_mature, is_left_truncated, window_end_date, as_of() as as_of_date
from counted;

create table marts.fct_cohort_value as
with refunds_of_buyers as (
    select buyers.cohort_month, first_channel, coalesce(buyers.country_code, 'unknown') as country, net_refund,
        months_between(first_date, ordered_date) as order_age, months_between(first_date, refunded_date) as refund_age
    from (
        select valued.customer_id, valued.ordered_date, refunds.refunded_date,
            refunds.refund_amount - refunds.gift_card_refund_amount as net_refund
        from refunds inner join valued using (order_id)
        where is_valid_order and valued.customer_id is not null
    ) inner join buyers using (customer_id)
),
moved as (
    select cohort_month, first_channel, country, order_age as age, net_refund as amount from refunds_of_buyers
    union all
    select cohort_month, first_channel, country, refund_age, -net_refund from refunds_of_buyers
),
moved_per_cell as (
    select cohort_month, age,
        case when grouping(first_channel) = 0 then 'first_channel' when grouping(country) = 0 then 'country' else 'all' end
            as segment_type,
        coalesce(first_channel, country, 'all') as segment, sum(amount) as amount
    from moved
    group by grouping sets ((cohort_month, age), (cohort_month, age, first_channel), (cohort_month, age, country))
),
cells as (
    select cohort_cells.*, net_amount + coalesce(amount, 0) as net_refund_dated_amount
    from cohort_cells
    left join moved_per_cell
        on cohort_cells.cohort_month = moved_per_cell.cohort_month
        and cohort_cells.segment_type = moved_per_cell.segment_type
        and cohort_cells.segment = moved_per_cell.segment and cohort_cells.age = moved_per_cell.age
    where age_unit = 'month'
)
select
    cohort_month, segment_type, segment, age, cohort_size, cast(order_count as bigint) as order_count,
    cast(net_amount as decimal(18, 2)) as net_order_dated_amount,
    cast(net_refund_dated_amount as decimal(18, 2)) as net_refund_dated_amount,
    cast(margin_amount as decimal(18, 2)) as contribution_margin_amount,
    case when is_mature then round(cast(sum(net_amount) over until_here as double) / cohort_size, 2) end
        as cumulative_net_order_dated_per_customer_amount,
    case when is_mature then round(cast(sum(margin_amount) over until_here as double) / cohort_size, 2) end
        as cumulative_contribution_margin_per_customer_amount,
    'GBP' as currency_code, is_mature, is_left_truncated, as_of() as as_of_date
from cells
window until_here as (
    partition by cohort_month, segment_type, segment order by age rows between unbounded preceding and current row
);

create table marts.fct_repurchase_curves as
with cohorts as (
    select cohort_month, count(*) as customers, bool_or(is_left_truncated) as is_left_truncated from buyers group by 1
),
reached as (
    select cast(date_trunc('month', first_date) as date) as cohort_month, occasion_number as nth_order,
        ordered_date - first_date as days
    from occasions where occasion_number between 2 and 4
),
cells as (
    select cohorts.*, day_n, nth_order, last_day(cohort_month) + day_n <= as_of() as is_mature
    from cohorts, (values (30), (60), (90), (180), (365)) as limits(day_n), (values (2), (3), (4)) as orders(nth_order)
),
counted as (
    select cells.*, count(days) as reached_so_far, median(days) as median_days
    from cells
    left join reached
        on cells.cohort_month = reached.cohort_month and cells.nth_order = reached.nth_order and days <= day_n
    group by all
)
select
    cohort_month, day_n, nth_order, customers, case when is_mature then customers end as eligible_customers,
    case when is_mature then reached_so_far end as reached_customers,
    case when is_mature then reached_so_far / cast(customers as double) end as repurchase_rate,
    case when is_mature then median_days end as median_days, reached_so_far, is_mature, is_left_truncated,
    as_of() as as_of_date
from counted;

create table marts.fct_customer_retention_months as
with months as (
    select cast(date_trunc('month', first_date) + to_months(cast(n as integer)) as date) as month_start
    from (select min(ordered_date) as first_date from occasions), range(1200) as numbers(n)
    where n <= months_between(first_date, as_of())
),
customer_months as (
    select customer_id, cast(date_trunc('month', ordered_date) as date) as month_start,
        bool_or(occasion_number = 1) as is_new
    from occasions group by all
),
followed as (
    select *, lag(month_start) over (partition by customer_id order by month_start) as previous_month
    from customer_months
),
counted as (
    select month_start, count(*) as active, count(*) filter (is_new) as new,
        count(*) filter (previous_month = month_start - interval 1 month) as retained,
        count(*) filter (previous_month < month_start - interval 1 month) as resurrected
    from followed group by month_start
),
filled as (
    select month_start, last_day(month_start) <= as_of() as is_mature, coalesce(active, 0) as active,
        coalesce(new, 0) as new, coalesce(retained, 0) as retained, coalesce(resurrected, 0) as resurrected,
        lag(coalesce(active, 0)) over (order by month_start) as active_before
    from months left join counted using (month_start)
)
select
    month_start, case when is_mature then active end as active_customers, case when is_mature then new end as new_customers,
    case when is_mature then retained end as retained_customers,
    case when is_mature then resurrected end as resurrected_customers,
    case when is_mature then coalesce(active_before, 0) - retained end as lapsed_customers,
    case when is_mature then (active - new) / nullif(cast(active as double), 0) end as returning_customer_share,
    case when is_mature then retained / nullif(cast(active_before as double), 0) end as customer_retention_rate,
    is_mature, as_of() as as_of_date
from filled;

---------------------------------------------------------------------------------------------------------------- days

create table marts.fct_kpi_days as
with days as (
    select cast(unnest(range(min(ordered_date), as_of() + 1, interval 1 day)) as date) as calendar_date
    from valued where is_sale
),
ordered as (
    select ordered_date as calendar_date, count(*) as sale_count, count(*) filter (is_valid_order) as order_count,
        sum(unit_count) as unit_count, sum(gross_amount) as gross_amount, sum(discount_amount) as discount_amount,
        sum(net_before_refunds_amount) as net_before_refunds_amount, sum(net_amount) as net_amount,
        sum(contribution_margin_amount) as margin_amount
    from valued where is_sale group by 1
),
refunded as (
    select refunded_date as calendar_date, count(distinct refund_id) as refund_count, sum(net_refund_amount) as net_refund_amount
    from marts.fct_refunds where is_sale group by 1
),
bought as (
    select ordered_date as calendar_date, count(*) as customer_count, count(*) filter (occasion_number = 1) as new_customers
    from occasions group by 1
),
shipped as (
    select shipped_date as calendar_date, count(*) as shipped_order_count from valued where is_sale group by 1
),
delivered as (
    select delivered_date as calendar_date, count(*) as delivered_order_count, count(promise_kept) as promised_order_count,
        count(*) filter (promise_kept) as promise_kept_order_count
    from valued where is_sale group by 1
)
select
    calendar_date, coalesce(sale_count, 0) as sale_count, coalesce(order_count, 0) as order_count,
    coalesce(customer_count, 0) as customer_count, coalesce(new_customers, 0) as new_customers,
    coalesce(customer_count, 0) - coalesce(new_customers, 0) as returning_customers,
    cast(coalesce(unit_count, 0) as bigint) as unit_count,
    cast(coalesce(gross_amount, 0) as decimal(18, 2)) as gross_amount,
    cast(coalesce(discount_amount, 0) as decimal(18, 2)) as discount_amount,
    cast(coalesce(net_before_refunds_amount, 0) as decimal(18, 2)) as net_before_refunds_amount,
    cast(coalesce(net_amount, 0) as decimal(18, 2)) as net_order_dated_amount,
    cast(coalesce(margin_amount, 0) as decimal(18, 2)) as contribution_margin_amount,
    coalesce(refund_count, 0) as refund_count, cast(coalesce(net_refund_amount, 0) as decimal(18, 2)) as net_refund_amount,
    cast(coalesce(net_before_refunds_amount, 0) - coalesce(net_refund_amount, 0) as decimal(18, 2))
        as net_refund_dated_amount,
    coalesce(shipped_order_count, 0) as shipped_order_count, coalesce(delivered_order_count, 0) as delivered_order_count,
    coalesce(promised_order_count, 0) as promised_order_count,
    coalesce(promise_kept_order_count, 0) as promise_kept_order_count,
    'GBP' as currency_code, as_of() as as_of_date
from days
left join ordered using (calendar_date)
left join refunded using (calendar_date)
left join bought using (calendar_date)
left join shipped using (calendar_date)
left join delivered using (calendar_date);

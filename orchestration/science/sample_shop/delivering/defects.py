"""Defects, planted into the delivery files after the clean shop is finished.

Every defect is a row of its own under a key of its own, or an additional version of a row, so that
the shop without them is still there, whole and consistent, once they are sorted out.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.delivering.files import (
    PLAIN,
    TABLE_KEYS,
    WINDOWS,
    DeliveryFile,
    Row,
    as_text,
)

SUPERSEDED, QUARANTINED, DELETED, STAGED = "superseded", "quarantined", "deleted", "staged"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
PREFIXES = {
    "customers": "C", "products": "V", "orders": "O", "order_lines": "L", "shipments": "S",
    "returns": "R", "return_items": "I", "refunds": "F", "memberships": "M",
    "membership_terms": "T", "membership_benefit_usage": "U",
    "consents": "CE", "privacy_requests": "PR", "payments": "PY", "shipment_events": "SE",
    "support_tickets": "K", "survey_responses": "Q", "reviews": "RV", "loyalty_ledger": "G",
    "referrals": "N", "web_events": "E", "campaigns": "K", "message_events": "E",
    "experiments": "X",
}  # fmt: skip


@dataclass(frozen=True)
class PlantedDefect:
    """One row of `planted_defects.csv`."""

    kind: str
    table: str
    file: str
    key: str
    """Key of the row, several columns joined by `|`; empty where the key itself is missing."""
    outcome: str
    """superseded, quarantined, deleted (staged as a tombstone), or staged as it is."""
    column: str
    """Column at fault, if it is one."""
    rule: str
    """Rule of the source contract that it breaks: a rule's name, or the kind of the check."""


@dataclass(frozen=True)
class Spoiling:
    """A kind of row that must not get past staging: a copy of a good row with changed values."""

    table: str
    kind: str
    count: int
    column: str
    rule: str
    change: Callable[[Row], Row]
    delivery: int = 0


def _put(**values: Any) -> Callable[[Row], Row]:
    return lambda row: row | values


def _before_order(column: str, days: int) -> Callable[[Row], Row]:
    return lambda row: row | {column: row["_ordered_at"] - dt.timedelta(days=days)}


def _relative(column: str, base: str, days: int) -> Callable[[Row], Row]:
    return lambda row: row | {column: row[base] + dt.timedelta(days=days)}


FAR = dt.datetime(2099, 1, 5, 12, 0)
SPOILINGS = (
    Spoiling("orders", "ordered_in_2099", 2, "ordered_at", "ordered_at_is_not_after_delivery",
             _put(ordered_at=FAR, processed_at=None, updated_at=FAR)),
    Spoiling("orders", "day_that_does_not_exist", 2, "ordered_at", "type",
             _put(ordered_at="2025-02-31 10:15:00")),
    Spoiling("orders", "day_that_does_not_exist", 1, "ordered_at", "type",
             _put(ordered_at="31/02/2025 10:15:00"), delivery=1),
    Spoiling("orders", "unparseable_number", 2, "total_amount", "type", _put(total_amount="12,9O")),
    Spoiling("orders", "unparseable_number", 1, "gross_item_amount", "type",
             _put(gross_item_amount="n/a"), delivery=2),
    Spoiling("orders", "unknown_value", 2, "status", "accepted", _put(status="shiped")),
    Spoiling("orders", "negative_amount", 1, "gross_item_amount", "at_least",
             _put(gross_item_amount=decimal.Decimal("-5.00"))),
    Spoiling("orders", "missing_key", 2, "order_id", "required", _put(order_id=None)),
    Spoiling("orders", "currency_without_rate", 2, "fx_rate_to_shop",
             "foreign_currency_has_a_rate", _put(currency="XBT", fx_rate_to_shop=None)),
    Spoiling("orders", "currency_not_three_letters", 1, "currency", "currency_is_three_letters",
             _put(currency="POUND", fx_rate_to_shop=1.0)),
    Spoiling("orders", "cancelled_before_ordered", 1, "cancelled_at",
             "cancelled_at_is_not_before_ordered_at", _relative("cancelled_at", "ordered_at", -3)),
    Spoiling("order_lines", "orphan", 5, "order_id", "parent", _put(order_id="O8999999")),
    Spoiling("order_lines", "negative_quantity", 3, "quantity", "at_least", _put(quantity=-1)),
    Spoiling("order_lines", "unparseable_number", 2, "unit_price", "type",
             _put(unit_price="free"), delivery=1),
    Spoiling("order_lines", "missing_key", 2, "order_line_id", "required",
             _put(order_line_id=None)),
    Spoiling("order_lines", "discount_above_amount", 1, "discount_amount",
             "discount_is_not_above_line_amount",
             _put(quantity=1, unit_price=decimal.Decimal("10.00"),
                  discount_amount=decimal.Decimal("25.00"))),
    Spoiling("shipments", "delivered_before_ordered", 2, "delivered_at",
             "delivery_is_not_before_order", lambda row: row | {
                 "shipped_at": row["_ordered_at"] - dt.timedelta(days=22),
                 "delivered_at": row["_ordered_at"] - dt.timedelta(days=20)}),
    Spoiling("shipments", "delivered_before_shipped", 1, "delivered_at",
             "delivery_is_not_before_shipping", _relative("delivered_at", "shipped_at", -1)),
    Spoiling("shipments", "orphan", 2, "order_id", "parent", _put(order_id="O8999998")),
    Spoiling("shipments", "unknown_value", 1, "delivery_status", "accepted",
             _put(delivery_status="vanished"), delivery=1),
    Spoiling("returns", "orphan", 3, "order_id", "parent", _put(order_id="O8999997")),
    Spoiling("returns", "received_before_requested", 2, "received_at",
             "received_at_is_not_before_requested_at", _relative("received_at", "requested_at", -1)),
    Spoiling("returns", "unknown_value", 1, "status", "accepted", _put(status="lost in post")),
    Spoiling("return_items", "orphan", 2, "return_id", "parent", _put(return_id="R8999999")),
    Spoiling("return_items", "quantity_above_ordered", 2, "quantity",
             "returned_quantity_is_not_above_ordered", _put(quantity=5000)),
    Spoiling("return_items", "unknown_value", 1, "reason_code", "accepted",
             _put(reason_code="no idea")),
    Spoiling("refunds", "orphan", 3, "order_id", "parent",
             _put(order_id="O8999996", order_line_id=None, return_id=None)),
    Spoiling("refunds", "negative_amount", 2, "amount", "at_least",
             _put(amount=decimal.Decimal("-4.20"))),
    Spoiling("refunds", "refund_before_order", 2, "issued_at", "refund_is_not_before_order",
             _before_order("issued_at", 9)),
    Spoiling("memberships", "unknown_value", 1, "status", "accepted", _put(status="zombie")),
    Spoiling("memberships", "ended_before_joined", 1, "ended_at",
             "ended_at_is_not_before_joined_at", _relative("ended_at", "joined_at", -30)),
    Spoiling("membership_terms", "end_before_start", 3, "term_end",
             "term_end_is_after_term_start", _relative("term_end", "term_start", -1)),
    Spoiling("membership_terms", "orphan", 2, "membership_id", "parent",
             _put(membership_id="M8999999")),
    Spoiling("membership_terms", "unparseable_number", 1, "fee_amount", "type",
             _put(fee_amount="8.99 GBP per month")),
    Spoiling("membership_terms", "negative_number", 1, "term_number", "at_least",
             _put(term_number=-1)),
    Spoiling("membership_benefit_usage", "unknown_value", 2, "benefit_code", "accepted",
             _put(benefit_code="teleport")),
    Spoiling("membership_benefit_usage", "orphan", 1, "membership_id", "parent",
             _put(membership_id="M8999998")),
    Spoiling("customers", "missing_key", 1, "customer_id", "required", _put(customer_id=None)),
    Spoiling("customers", "unknown_value", 1, "account_state", "accepted",
             _put(account_state="sleeping")),
    Spoiling("customers", "impossible_month", 1, "birth_month", "at_least", _put(birth_month=0)),
    Spoiling("products", "negative_amount", 1, "list_price", "at_least",
             _put(list_price=decimal.Decimal("-1.00"))),
    Spoiling("product_costs", "end_before_start", 1, "valid_to",
             "valid_to_is_not_before_valid_from",
             lambda row: row | {"valid_from": dt.date(2019, 1, 1), "valid_to": dt.date(2018, 1, 1)}),
)  # fmt: skip

DUPLICATES = {
    "customers": 3, "orders": 5, "order_lines": 8, "shipments": 2, "returns": 1, "return_items": 1,
    "refunds": 2, "memberships": 2, "membership_terms": 2, "membership_benefit_usage": 3,
}  # fmt: skip


class Planter:
    """Holds the files and writes down what is done to them."""

    def __init__(
        self, rng: np.random.Generator, files: list[DeliveryFile], tables: dict[str, pa.Table]
    ) -> None:
        self.rng = rng
        self.files = {(file.table, file.delivery): file for file in files}
        self.planted: list[PlantedDefect] = []
        orders = tables["orders"].select(["order_id", "ordered_at"]).to_pylist()
        self.ordered_at = {row["order_id"]: row["ordered_at"] for row in orders}
        self._next = dict.fromkeys(PREFIXES, 9_000_000)
        self._taken: set[tuple[str, int]] = set()

    def file(self, table: str, delivery: int) -> DeliveryFile:
        """Return the file of a delivery, or the table's first one if that delivery has none.

        In a shop of a few customers a table may have no file at all; an empty one that nobody
        delivers stands for it, in which no defect finds a row to start from.
        """
        of_the_table = (number for name, number in self.files if name == table)
        first = min(of_the_table, default=None)
        if first is None:
            return DeliveryFile(table, delivery, table, PLAIN, pa.schema([]), [])
        return self.files.get((table, delivery), self.files[table, first])

    def new_key(self, table: str) -> str:
        """Return a key that no good row has."""
        self._next[table] += 1
        return f"{PREFIXES[table]}{self._next[table]}"

    def draw(self, file: DeliveryFile, count: int, suits: Callable[[Row], bool]) -> list[Row]:
        """Draw rows that suit and that no other defect has used."""
        found: list[Row] = []
        candidates = [row for row in file.rows if suits(row)]
        for position in self.rng.permutation(len(candidates)).tolist():
            place = (file.name, id(candidates[position]))
            if len(found) < count and place not in self._taken:
                self._taken.add(place)
                found.append(candidates[position])
        return found

    def add(self, file: DeliveryFile, row: Row) -> None:
        """Put a row somewhere into a file, where no other defect is planted in it."""
        row.pop("_ordered_at", None)
        self._taken.add((file.name, id(row)))
        file.rows.insert(int(self.rng.integers(len(file.rows) + 1)), row)

    def note(
        self,
        kind: str,
        file: DeliveryFile,
        key: str,
        outcome: str,
        column: str = "",
        rule: str = "",
    ) -> None:
        """Write a planted defect down."""
        self.planted.append(PlantedDefect(kind, file.table, file.name, key, outcome, column, rule))


def key_text(table: str, row: Row) -> str:
    """Return the key of a row as `planted_defects.csv` writes it."""
    values = [row.get(column) for column in TABLE_KEYS[table]]
    return "|".join("" if one is None else str(one) for one in values)


def plant_defects(
    rng: np.random.Generator, files: list[DeliveryFile], tables: dict[str, pa.Table]
) -> list[PlantedDefect]:
    """Plant every kind of defect into the files, in place, and return what was planted."""
    planter = Planter(rng, files, tables)
    _correct_late(planter)
    _deliver_stale_versions(planter)
    _delete_orders(planter)
    repeat_rows(planter, DUPLICATES)
    _lose_letters(planter)
    for spoiling in SPOILINGS:
        spoil(planter, spoiling)
    _break_lines(planter)
    return planter.planted


def _is_complete(row: Row) -> bool:
    """Tell whether a row has what the changes above start from."""
    return "_is_deleted" not in row and all(
        row.get(column) is not None
        for column in ("ordered_at", "requested_at", "joined_at", "order_line_id")
        if column in row
    )


def spoil(planter: Planter, spoiling: Spoiling) -> None:
    """Copy good rows under new keys and spoil the copies."""
    file = planter.file(spoiling.table, spoiling.delivery)
    for drawn in planter.draw(file, spoiling.count, _is_complete):
        row = dict(drawn)
        first_key = TABLE_KEYS[spoiling.table][0]
        if spoiling.table in PREFIXES:
            row[first_key] = planter.new_key(spoiling.table)
        row["_ordered_at"] = planter.ordered_at.get(row.get("order_id"))
        row = spoiling.change(row)
        planter.note(
            spoiling.kind, file, key_text(spoiling.table, row), QUARANTINED,
            spoiling.column, spoiling.rule,
        )  # fmt: skip
        planter.add(file, row)


def repeat_rows(planter: Planter, counts: dict[str, int]) -> None:
    """Deliver some rows twice in the same file."""
    for table, count in counts.items():
        file = planter.file(table, 0)
        for drawn in planter.draw(file, count, _is_complete):
            row = dict(drawn)
            planter.note("duplicate", file, key_text(table, row), SUPERSEDED)
            planter.add(file, row)


def _correct_late(planter: Planter) -> None:
    """Deliver a wrong amount first and the right row in a later file."""
    ten = decimal.Decimal("10.00")
    for table, column, count in (
        ("orders", "gross_item_amount", 6),
        ("order_lines", "quantity", 4),
    ):
        first, last = planter.file(table, 0), planter.file(table, 2)
        key = TABLE_KEYS[table][0]
        changed = {row[key] for number in (1, 2) for row in planter.file(table, number).rows}

        def is_settled(row: Row, key: str = key, changed: set[str] = changed) -> bool:
            return _is_complete(row) and row[key] not in changed

        for drawn in planter.draw(first, count, is_settled):
            right = dict(drawn)
            wrong = drawn
            if table == "orders":
                wrong["gross_item_amount"] += ten
                wrong["total_amount"] += ten
                right["updated_at"] = _last_moment(last) - dt.timedelta(hours=3)
            else:
                wrong["quantity"] += 3
            planter.note("late_correction", first, key_text(table, wrong), SUPERSEDED, column)
            planter.add(last, right)


def _last_moment(file: DeliveryFile) -> dt.datetime:
    return max(row["updated_at"] for row in file.rows)


def _deliver_stale_versions(planter: Planter) -> None:
    """Deliver an old version of an order after the newer one has come."""
    first, later = planter.file("orders", 0), planter.file("orders", 1)
    changed = {row["order_id"] for number in (1, 2) for row in planter.file("orders", number).rows}

    def is_settled(row: Row) -> bool:
        is_fulfilled = row["status"] == "fulfilled" and row["updated_at"] > row["ordered_at"]
        return _is_complete(row) and is_fulfilled and row["order_id"] not in changed

    for drawn in planter.draw(first, 4, is_settled):
        stale = dict(drawn)
        stale |= {"status": "paid", "updated_at": stale["ordered_at"]}
        planter.note("stale_version", later, key_text("orders", stale), SUPERSEDED, "status")
        planter.add(later, stale)


def _delete_orders(planter: Planter) -> None:
    """Deliver orders with a line each, and later that both are deleted."""
    orders, lines = planter.file("orders", 0), planter.file("order_lines", 0)
    line = next((row for row in lines.rows if _is_complete(row)), None)
    if line is None or any(planter.file(file.table, 2) is file for file in (orders, lines)):
        return

    def is_paid(row: Row) -> bool:
        return _is_complete(row) and row["status"] == "fulfilled"

    for drawn in planter.draw(orders, 4, is_paid):
        order = dict(drawn) | {"order_id": planter.new_key("orders")}
        its_line = dict(line) | {
            "order_line_id": planter.new_key("order_lines"),
            "order_id": order["order_id"],
        }
        planter.add(orders, dict(order))
        planter.add(lines, dict(its_line))
        last = planter.file("orders", 2)
        order |= {"_is_deleted": True, "updated_at": _last_moment(last)}
        its_line |= {"_is_deleted": True}
        for table, row in (("orders", order), ("order_lines", its_line)):
            file = planter.file(table, 2)
            planter.note("deletion", file, key_text(table, row), DELETED)
            planter.add(file, row)


def _lose_letters(planter: Planter) -> None:
    """Names in a file of a Windows system, and names whose accents an earlier system has lost."""
    windows = planter.file("customers", 1)
    for row in windows.rows:
        if windows.style is WINDOWS and not (row["first_name"] + row["last_name"]).isascii():
            key = key_text("customers", row)
            planter.note("windows_encoding", windows, key, STAGED, "first_name, last_name")
    first = planter.file("customers", 0)
    # A later version of the row would bring the accents back.
    changed = {
        row["customer_id"] for number in (1, 2) for row in planter.file("customers", number).rows
    }

    def keeps_its_name(row: Row) -> bool:
        return not row["first_name"].isascii() and row["customer_id"] not in changed

    for drawn in planter.draw(first, 3, keeps_its_name):
        drawn["first_name"] = "".join(
            letter if letter.isascii() else REPLACEMENT for letter in drawn["first_name"]
        )
        key = key_text("customers", drawn)
        planter.note("replacement_character", first, key, STAGED, "first_name")


def _break_lines(planter: Planter) -> None:
    """Write lines that have too few or too many fields."""
    for table, delivery, count in (("orders", 0, 2), ("order_lines", 1, 1)):
        file = planter.file(table, delivery)
        for drawn in planter.draw(file, 2 * count, _is_complete):
            row = dict(drawn) | {TABLE_KEYS[table][0]: planter.new_key(table)}
            fields = [as_text(row.get(column), file.style) for column in file.columns]
            too_few = len(file.broken_lines) % 2 == 0
            fields = fields[:-4] if too_few else [*fields, "", "left over"]
            file.broken_lines.append(file.style.delimiter.join(fields))
            kind = "too_few_fields" if too_few else "too_many_fields"
            planter.note(kind, file, key_text(table, row), QUARANTINED, "", "columns")

"""Random histories of a small shop: versions, duplicates, deletions, orphans and broken rows, spread over nights.

Every key gets a few rows, drawn independently and put into any night, so that each order of events happens
somewhere: the child before its parent, the correction before the original, the deletion before both. Nothing
here knows what the warehouse should make of it.
"""

import csv
import random
from pathlib import Path

Row = dict[str, str]

DAYS = [f"2025-{month:02d}-{day:02d}" for month in range(3, 8) for day in (1, 9, 17, 30)]
BROKEN = ["-1", "12,34,5", "soon", "1e-1", ""]


class RandomShop:
    """Draws the rows of all tables; one seed gives one history."""

    def __init__(self, seed: int, orders: int = 120) -> None:
        self.random = random.Random(seed)
        self.keys = {
            "customers": [f"C{number}" for number in range(orders // 3)],
            "products": [f"V{number}" for number in range(12)],
            "orders": [f"O{number}" for number in range(orders)],
            "order_lines": [f"L{number}" for number in range(2 * orders)],
            "shipments": [f"S{number}" for number in range(orders // 2)],
            "returns": [f"R{number}" for number in range(orders // 3)],
            "return_items": [f"I{number}" for number in range(orders // 3)],
            "refunds": [f"F{number}" for number in range(orders // 3)],
            "memberships": [f"M{number}" for number in range(orders // 6)],
            "membership_terms": [f"T{number}" for number in range(orders // 4)],
            "membership_benefit_usage": [f"U{number}" for number in range(orders // 4)],
        }

    def nights(self, count: int) -> list[dict[str, list[Row]]]:
        """Rows of each night by table; a duplicate may come in the same night or in another."""
        nights: list[dict[str, list[Row]]] = [{} for _ in range(count)]
        for table in (*self.keys, "product_costs"):
            for row in self._rows(table):
                for _ in range(2 if self._happens(0.1) else 1):
                    self.random.choice(nights).setdefault(table, []).append(row)
        for night in nights:
            for rows in night.values():
                self.random.shuffle(rows)
        return nights

    def _rows(self, table: str) -> list[Row]:
        draw = getattr(self, f"_{table}")
        keys = self.keys.get(table) or self.keys["products"] * 3
        return [
            self._spoiled(draw(key))
            for key in keys
            for _ in range(self.random.choice([1, 1, 2, 3]))
        ]

    def _spoiled(self, row: Row) -> Row:
        """Most rows as they are; some deleted, of these some with nothing but their key; some broken."""
        key = next(iter(row))
        if self._happens(0.08):
            row = row | {"_is_deleted": "true"}
            if self._happens(0.5):
                row = {name: value for name, value in row.items() if name in (key, "_is_deleted")}
        elif self._happens(0.08):
            row = row | {self.random.choice(list(row)): self.random.choice(BROKEN)}
        return row

    def _happens(self, probability: float) -> bool:
        return self.random.random() < probability

    def _one_of(self, table: str) -> str:
        """A key of another table, now and then one that never comes."""
        return "nowhere" if self._happens(0.05) else self.random.choice(self.keys[table])

    def _day(self) -> str:
        return self.random.choice(DAYS)

    def _money(self) -> str:
        return f"{self.random.randrange(100, 9999) / 100:.2f}"

    def _version(self) -> str:
        return "" if self._happens(0.2) else self._day()

    def _customers(self, key: str) -> Row:
        email = f"{self.random.choice('abcdefgh')}@shop.example"
        return {
            "customer_id": key,
            "email": email,
            "created_at": self._day(),
            "updated_at": self._version(),
        }

    def _products(self, key: str) -> Row:
        is_gift_card = "true" if self._happens(0.2) else "false"
        return {
            "variant_id": key,
            "category_l1": self.random.choice("xyz"),
            "is_gift_card": is_gift_card,
        }

    def _product_costs(self, key: str) -> Row:
        return {
            "variant_id": key,
            "valid_from": self.random.choice(DAYS[::4]),
            "unit_cost": self._money(),
        }

    def _orders(self, key: str) -> Row:
        currency, rate = self.random.choice(
            [("GBP", ""), ("EUR", "0.85"), ("EUR", "0.9"), ("USD", "")]
        )
        return {
            "order_id": key,
            "customer_id": self._one_of("customers"),
            "email": f"{self.random.choice('abcdefgh')}@shop.example",
            "ordered_at": f"{self._day()} 23:30:00",
            "status": self.random.choice(["paid", "fulfilled", "refunded", "cancelled", "Weird"]),
            "currency": currency,
            "fx_rate_to_shop": rate,
            "gross_item_amount": self._money(),
            "total_amount": "9999.00",
            "updated_at": self._version(),
        }

    def _order_lines(self, key: str) -> Row:
        return {
            "order_line_id": key,
            "order_id": self._one_of("orders"),
            "variant_id": self._one_of("products"),
            "quantity": str(self.random.randrange(0, 5)),
            "unit_price": self._money(),
        }

    def _shipments(self, key: str) -> Row:
        shipped, delivered = sorted([self._day(), self._day()])
        return {
            "shipment_id": key,
            "order_id": self._one_of("orders"),
            "shipped_at": shipped,
            "delivered_at": delivered,
            "cost_amount": self._money(),
        }

    def _returns(self, key: str) -> Row:
        requested, received = sorted([self._day(), self._day()])
        return {
            "return_id": key,
            "order_id": self._one_of("orders"),
            "requested_at": requested,
            "received_at": received,
            "return_shipping_cost": self._money(),
        }

    def _return_items(self, key: str) -> Row:
        return {
            "return_item_id": key,
            "return_id": self._one_of("returns"),
            "order_line_id": self._one_of("order_lines"),
            "quantity": str(self.random.randrange(0, 4)),
            "disposition": self.random.choice(["restock", "scrap"]),
        }

    def _refunds(self, key: str) -> Row:
        return {
            "refund_id": key,
            "order_line_id": self._one_of("order_lines") if self._happens(0.5) else "",
            "order_id": self._one_of("orders"),
            "amount": self._money(),
            "issued_at": self._day(),
        }

    def _memberships(self, key: str) -> Row:
        joined, ended = sorted([self._day(), self._day()])
        return {
            "membership_id": key,
            "customer_id": self._one_of("customers"),
            "joined_at": joined,
            "ended_at": ended if self._happens(0.5) else "",
            "updated_at": self._version(),
        }

    def _membership_terms(self, key: str) -> Row:
        start, end = sorted([self._day(), self._day()])
        return {
            "membership_term_id": key,
            "membership_id": self._one_of("memberships"),
            "term_number": "1",
            "billing_period": "monthly",
            "term_start": start,
            "term_end": end,
            "fee_amount": self._money(),
            "payment_status": "paid",
        }

    def _membership_benefit_usage(self, key: str) -> Row:
        return {
            "usage_id": key,
            "membership_id": self._one_of("memberships"),
            "benefit_code": self.random.choice(["shipping", "video", "sauna"]),
            "used_at": self._day(),
        }


def write_csv(path: Path, rows: list[Row]) -> Path:
    """All columns of all rows, those that a row lacks left empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=names, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path

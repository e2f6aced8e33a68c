"""The sums by which points leave in turn, beside a till that pays out lot by lot, on ledgers drawn at random."""

import random
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

FIRST_DAY = date(2024, 1, 1)
TERMS = (None, 20, 60, 365)
"""Days for which points of a person can be spent; one term per person, as in a programme."""
PEOPLE = 400


@dataclass(frozen=True)
class Entry:
    """A row of the ledger."""

    ledger_entry_id: str
    customer_id: str
    entry_type: str
    points: int
    event_at: datetime
    expires_at: date | None = None
    lot_id: str | None = None
    earned_entry_id: str | None = None


SCHEMA = pa.schema(
    [
        ("ledger_entry_id", pa.string()),
        ("customer_id", pa.string()),
        ("entry_type", pa.string()),
        ("points", pa.int32()),
        ("event_at", pa.timestamp("us")),
        ("expires_at", pa.date32()),
        ("lot_id", pa.string()),
        ("earned_entry_id", pa.string()),
    ]
)


@dataclass
class Till:
    """First in, first out, one entry after the other; what is not there is owed."""

    left: dict[str, int] = field(default_factory=dict)
    expires: dict[str, date | None] = field(default_factory=dict)
    expired: dict[str, int] = field(default_factory=dict)
    nameable: dict[str, int] = field(default_factory=dict)
    """What entries may still ask of a lot by its name: it was opened with no more."""
    debts: list[tuple[int, bool]] = field(default_factory=list)
    """Points owed, the oldest first, and whether an expiry asked for them."""
    unwritten: int = 0
    """Points that ran out by their date and that the shop has not written down yet."""

    @property
    def net(self) -> int:
        return sum(self.left.values()) - sum(points for points, _ in self.debts)

    def in_turn(self) -> list[str]:
        """Lots as they run out; of one day the older first, as they came in."""
        return sorted(self.left, key=lambda lot: self.expires[lot] or date.max)

    def until(self, day: date) -> None:
        """A lot can be spent on its last day, and is gone on the next."""
        for lot in self.in_turn():
            last_day = self.expires[lot]
            if last_day is not None and last_day < day and self.left[lot]:
                self.expired[lot] += self.left[lot]
                self.unwritten += self.left[lot]
                self.left[lot] = 0

    def take(self, lots: list[str], points: int, *, is_expiry: bool) -> None:
        """Take points of the lots in this order; what they do not have is owed."""
        for lot in lots:
            taken = min(points, self.left[lot])
            self.left[lot] -= taken
            points -= taken
            if is_expiry:
                self.expired[lot] += taken
        if points:
            self.debts.append((points, is_expiry))

    def open_lot(self, entry: Entry) -> None:
        """What is owed is paid at once."""
        lot = entry.ledger_entry_id
        self.left[lot] = self.nameable[lot] = entry.points
        self.expires[lot] = entry.expires_at
        self.expired[lot] = 0
        debts, self.debts = self.debts, []
        for points, is_expiry in debts:
            self.take([lot], points, is_expiry=is_expiry)

    def post(self, entry: Entry) -> None:
        day = entry.event_at.date()
        if entry.entry_type != "expire":
            self.until(day)
            self.move(entry)
            return
        # What is written on the day on which points run out tells of them.
        self.until(day - timedelta(days=1))
        self.move(entry)

    def move(self, entry: Entry) -> None:
        if entry.points > 0:
            self.open_lot(entry)
            return
        points = -entry.points
        is_expiry = entry.entry_type == "expire"
        named = entry.earned_entry_id or entry.lot_id
        if named is not None:
            last_day = self.expires[named]
            if last_day is None or entry.event_at.date() <= last_day:
                asked = min(points, self.nameable[named])
                self.nameable[named] -= asked
                points -= asked
                self.take([named, *self.in_turn()], asked, is_expiry=is_expiry)
        if is_expiry:
            known = min(points, self.unwritten)
            self.unwritten -= known
            points -= known
        self.take(self.in_turn(), points, is_expiry=is_expiry)


def ledger_of(person: str, draw: random.Random) -> list[Entry]:
    """Some months of a person: mostly earnings and burnings, and everything else that a shop writes."""
    term = draw.choice(TERMS)
    weights = draw.choice(((10, 7, 3, 2, 2), (10, 7, 3, 2, 0)))
    moment = datetime.combine(FIRST_DAY, datetime.min.time()) + timedelta(hours=9)
    entries: list[Entry] = []
    for number in range(draw.randint(1, 24)):
        moment += timedelta(days=draw.choice((0, 1, 5, 20, 40)), minutes=draw.randint(1, 59))
        entry_type = draw.choices(("earn", "burn", "reverse", "adjust", "expire"), weights)[0]
        if entry_type == "expire":
            # Nightly jobs run before the shop opens.
            moment = datetime.combine(moment.date() + timedelta(days=1), datetime.min.time())
        points = draw.randint(1, 100)
        earlier = [e.ledger_entry_id for e in entries if e.entry_type == "earn"]
        if entry_type == "adjust":
            points *= draw.choice((-1, 1))
        elif entry_type != "earn":
            points = -points
        opens = points > 0
        named = draw.choice(earlier) if earlier and not opens and draw.random() < 0.3 else None
        entries.append(
            Entry(
                ledger_entry_id=f"{person}-{number:03}",
                customer_id=person,
                entry_type=entry_type,
                points=points,
                event_at=moment,
                expires_at=moment.date() + timedelta(days=term) if opens and term else None,
                lot_id=named if entry_type in ("burn", "expire") else None,
                earned_entry_id=(
                    draw.choice(earlier) if entry_type == "reverse" and earlier else None
                ),
            )
        )
    return entries


def compiled_models(target_directory: Path) -> dict[str, str]:
    """The models of points as dbt compiled them for the night."""
    folder = target_directory / "compiled/retention/models/intermediate/loyalty"
    names = ("int_loyalty__entries", "int_loyalty__movements", "int_loyalty__lots")
    return {name: (folder / f"{name}.sql").read_text() for name in names}


def run(models: dict[str, str], entries: list[Entry]) -> duckdb.DuckDBPyConnection:
    """The models over a ledger of these entries, in a warehouse of their own."""
    connection = duckdb.connect()
    connection.execute("attach ':memory:' as warehouse")
    connection.execute("create schema warehouse.staging; create schema warehouse.intermediate")
    delivered = pa.Table.from_pylist([asdict(entry) for entry in entries], SCHEMA)
    connection.register("delivered", delivered)
    connection.execute("""
        create table warehouse.staging.stg_loyalty_ledger as
        select *, null::varchar as order_id, null::varchar as reward_type, null::decimal(18, 2) as money_value,
            'order' as source, false as is_deleted
        from delivered""")
    connection.execute("""
        create table warehouse.intermediate.int_identity__map as
        select distinct customer_id as source_customer_id, customer_id, false as is_test
        from warehouse.staging.stg_loyalty_ledger""")
    for name, sql in models.items():
        connection.execute(f"create table warehouse.intermediate.{name} as {sql}")
    connection.execute("use warehouse.intermediate")
    return connection


@pytest.fixture(scope="module")
def models(sample_shop) -> dict[str, str]:
    return compiled_models(sample_shop.settings.target_directory)


@pytest.fixture(scope="module")
def ledgers() -> dict[str, list[Entry]]:
    """Drawn once, from a fixed seed."""
    return {
        person: ledger_of(person, random.Random(number))
        for number, person in enumerate(f"P{number:04}" for number in range(PEOPLE))
    }


@pytest.fixture(scope="module")
def points(models, ledgers) -> duckdb.DuckDBPyConnection:
    return run(models, [entry for entries in ledgers.values() for entry in entries])


@pytest.fixture(scope="module")
def night() -> date:
    """Every ledger ends before it, and all points with a term have run out or not as the till says."""
    return date(2025, 12, 31)


def test_after_every_entry_a_person_has_the_points_that_the_till_counts(points, ledgers):
    counted = {}
    for entries in ledgers.values():
        till = Till()
        for entry in entries:
            till.post(entry)
            counted[entry.ledger_entry_id] = till.net
    told = dict(
        points.execute(
            "select ledger_entry_id, net_points from int_loyalty__movements where ledger_entry_id is not null"
        ).fetchall()
    )
    assert any(net < 0 for net in counted.values())
    assert told == counted


def test_every_lot_holds_in_the_end_what_the_till_left_in_it(points, ledgers, night):
    left, expired = {}, {}
    for entries in ledgers.values():
        till = Till()
        for entry in entries:
            till.post(entry)
        till.until(night)
        left |= till.left
        # Where a lot is named, what it gave and what the next gave may change places; what is left may not.
        if not any(entry.lot_id or entry.earned_entry_id for entry in entries):
            expired |= till.expired
    told = points.execute(
        "select lot_entry_id, open_points, expired_points from int_loyalty__lots"
    ).fetchall()
    assert {lot: open_points for lot, open_points, _ in told} == left
    assert sum(expired.values()) > 1000
    assert {lot: gone for lot, _, gone in told if lot in expired} == expired


def test_points_that_run_out_by_date_may_be_written_down_by_the_shop_or_not(models, ledgers):
    """The same ledgers with an entry for whatever ran out without one: nobody has a point more or less."""
    silent = [
        entry
        for entries in ledgers.values()
        if not any(entry.entry_type == "expire" for entry in entries)
        for entry in entries
    ]
    points = run(models, silent)
    unwritten = points.execute("""
        select customer_id, step_number, moved_points, movement_date from int_loyalty__movements
        where ledger_entry_id is null""").fetchall()
    assert len(unwritten) > 200
    written = [
        Entry(
            f"{person}-written-{step}",
            person,
            "expire",
            moved,
            datetime.combine(day, datetime.min.time()),
        )
        for person, step, moved, day in unwritten
    ]
    both = run(models, silent + written)
    balances = (
        "select customer_id, max_by(net_points, step_number) from int_loyalty__movements group by 1"
    )
    assert dict(both.execute(balances).fetchall()) == dict(points.execute(balances).fetchall())
    lots = "select lot_entry_id, open_points, expired_points from int_loyalty__lots order by 1"
    assert both.execute(lots).fetchall() == points.execute(lots).fetchall()


def test_the_dates_say_of_the_sample_shop_what_its_own_books_say_ran_out(models, sample_shop):
    """It wrote its expiries lot by lot; without them the dates alone must tell the same points on the same days."""
    rows = sample_shop.warehouse.read("staging.stg_loyalty_ledger").to_pylist()
    names = {row["source_customer_id"]: row["customer_id"] for row in people(sample_shop)}
    entries = [
        Entry(
            row["ledger_entry_id"],
            names[row["customer_id"]],
            row["entry_type"],
            row["points"],
            row["event_at"],
            row["expires_at"],
            row["lot_id"],
            row["earned_entry_id"],
        )
        for row in rows
        if row["customer_id"] in names and not row["is_deleted"]
    ]
    silent = run(models, [entry for entry in entries if entry.entry_type != "expire"])
    told = silent.execute("""
        select customer_id, movement_date, moved_points from int_loyalty__movements
        where ledger_entry_id is null""").fetchall()
    written: dict[tuple[str, date], int] = {}
    for entry in entries:
        if entry.entry_type == "expire":
            key = (entry.customer_id, entry.event_at.date())
            written[key] = written.get(key, 0) + entry.points
    assert len(written) > 500
    assert {(person, day): points for person, day, points in told} == written


def people(sample_shop) -> list[dict]:
    """Accounts of the sample shop that are no tests, with their persons."""
    accounts = sample_shop.warehouse.read("intermediate.int_identity__map").to_pylist()
    return [account for account in accounts if not account["is_test"]]

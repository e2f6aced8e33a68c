"""How the columns of a delivery differ from those of the one before."""

from datetime import datetime

from orchestration.resources.landing import Manifest, StoredColumn, delivery_facts

NIGHT = datetime(2025, 12, 1, 3, 30)


def delivery(number: int, *columns: str, ignored: tuple[str, ...] = (), **fields) -> Manifest:
    return Manifest(
        batch_id=f"B{number}",
        table=fields.pop("table", "orders"),
        file=f"orders_{number}.csv",
        sha256="",
        bytes=1,
        modified_ns=1,
        rows=10 * number,
        problem_rows=0,
        columns={name: StoredColumn(name) for name in columns},
        loaded_at=NIGHT,
        ignored_columns=ignored,
        **fields,
    )


def changes(*manifests: Manifest) -> list[tuple]:
    names = ("is_first", "added_columns", "missing_columns", "unknown_change_count")
    return [tuple(row[name] for name in names) for row in delivery_facts(manifests).to_pylist()]


def test_columns_that_come_and_go_are_named_and_a_first_delivery_changes_nothing():
    assert changes(
        delivery(1, "order_id", "email", "status"),
        delivery(2, "order_id", "email", "status"),
        delivery(3, "order_id", "currency", "channel"),
    ) == [
        (True, None, None, 0),
        (False, None, None, 0),
        (False, "channel, currency", "email, status", 0),
    ]


def test_columns_outside_the_contract_are_counted_and_never_named():
    facts = delivery_facts(
        [
            delivery(1, "order_id", ignored=("note", "shelf")),
            delivery(2, "order_id", ignored=("note", "jane@x.example", "Jane")),
        ]
    )
    assert facts.column("unknown_change_count").to_pylist() == [0, 3]
    assert "jane" not in str(facts.to_pylist()).lower()


def test_the_flag_of_deletion_and_what_landing_adds_are_no_change_of_columns():
    assert changes(
        delivery(1, "order_id"), delivery(2, "order_id", "_is_deleted", "_problem", "_raw")
    ) == [(True, None, None, 0), (False, None, None, 0)]


def test_each_table_and_each_way_of_delivering_is_followed_by_itself():
    assert changes(
        delivery(1, "order_id", "email"),
        delivery(2, "order_id", connector="online-retail-ii"),
        delivery(3, "refund_id", table="refunds"),
        delivery(4, "order_id", "email"),
    ) == [
        (True, None, None, 0),
        (True, None, None, 0),
        (True, None, None, 0),
        (False, None, None, 0),
    ]

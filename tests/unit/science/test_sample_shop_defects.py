"""Planted defects are where the truth says, and beneath them the clean shop is whole.

The files are read back with readers of their own, so that nothing is taken from the writer.
"""

import csv
import dataclasses
import datetime as dt
import decimal
import gzip
import json
from collections import Counter, defaultdict

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sample_shops import default_shop

from orchestration.contract import load_contract
from orchestration.science.errors import DataError
from orchestration.science.sample_shop import Parameters, generate, make, write

CONTRACT = load_contract()
WINDOWS_FILES = ("customers_2025-11-30.csv", "reviews_2025-11-30.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The default shop's files and truth."""
    directory = tmp_path_factory.mktemp("shop")
    write(default_shop(), directory)
    return directory


@pytest.fixture(scope="module")
def planted(folder):
    return read_planted(folder)


@pytest.fixture(scope="module")
def delivered(folder):
    return read_delivered(folder)


def read_planted(folder):
    """Rows of planted_defects.csv."""
    with (folder / "truth" / "planted_defects.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_delivered(folder):
    """Rows of every file as text, in order of arrival; lines of another length under `broken`."""
    return {path.name: read(path) for path in sorted(folder.iterdir()) if path.is_file()}


def table_of(name):
    return CONTRACT.table_for_file(name).name


def read(path):
    """Read one file as its name and README say it is written."""
    if path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
        return [{name: text(value) for name, value in row.items()} for row in rows]
    if path.suffix == ".jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        return [{name: text(value) for name, value in json.loads(line).items()} for line in lines]
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    encoding = "cp1252" if path.name in WINDOWS_FILES else "utf-8-sig"
    lines = content.decode(encoding).splitlines()
    first = lines[0]
    delimiter = next(one for one in ("\t", ";", ",") if one in first)
    header, *values = csv.reader(lines, delimiter=delimiter)
    return [
        dict(zip(header, row, strict=True)) if len(row) == len(header) else {"broken": row}
        for row in values
    ]


def text(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def key_of(table, row):
    values = [row.get(column) or "" for column in CONTRACT.table(table).key]
    # A spreadsheet writes the days of a key its own way.
    return "|".join("-".join(reversed(one.split("/"))) for one in values)


def moment(value):
    """Read the three ways in which a moment is written."""
    if "/" in value:
        return dt.datetime.strptime(value, "%d/%m/%Y %H:%M:%S")
    return dt.datetime.fromisoformat(value.removesuffix("Z"))


def typed(value, kind):
    if not value:
        return None
    if pa.types.is_timestamp(kind):
        return moment(value)
    if pa.types.is_date(kind):
        return dt.datetime.strptime(value, "%d/%m/%Y" if "/" in value else "%Y-%m-%d").date()
    if pa.types.is_decimal(kind):
        return decimal.Decimal(value)
    if pa.types.is_boolean(kind):
        return value == "true"
    if pa.types.is_integer(kind):
        return int(value)
    return float(value) if pa.types.is_floating(kind) else value


def test_every_planted_row_is_in_its_file_and_every_kind_is_counted(delivered, planted):
    assert_planted_rows_are_in_their_files(default_shop(), delivered, planted)


def assert_planted_rows_are_in_their_files(shop, delivered, planted):
    keys = {
        name: Counter(
            row["broken"][0] if "broken" in row else key_of(table_of(name), row) for row in rows
        )
        for name, rows in delivered.items()
    }
    expected = Counter()
    for defect in planted:
        times = 2 if defect["kind"] == "duplicate" else 1
        expected[defect["file"], defect["key"]] += times
    for (file, key), times in expected.items():
        assert keys[file][key] == times, (file, key)
    counted = defaultdict(dict)
    for (table, kind), count in Counter((one["table"], one["kind"]) for one in planted).items():
        counted[table][kind] = count
    assert shop.truth.summary["defects"] == counted


def test_all_the_kinds_of_defects_are_there(planted):
    kinds = {one["kind"] for one in planted}
    assert kinds >= {
        "duplicate", "late_correction", "stale_version", "deletion", "orphan", "ordered_in_2099",
        "day_that_does_not_exist", "delivered_before_ordered", "end_before_start",
        "unparseable_number", "negative_quantity", "unknown_value", "missing_key",
        "currency_without_rate", "too_few_fields", "too_many_fields", "windows_encoding",
        "replacement_character",
    }  # fmt: skip


def test_rules_and_columns_at_fault_are_those_of_the_contract(planted):
    checks = {"type", "required", "accepted", "at_least", "parent", "columns"}
    sources = CONTRACT.table_names
    for defect in planted:
        if defect["outcome"] != "quarantined":
            continue
        assert defect["table"] in sources
        table = CONTRACT.table(defect["table"])
        assert defect["rule"] in checks or "_" in defect["rule"]
        if defect["rule"] == "columns":
            continue
        column = table.column(defect["column"])
        assert defect["rule"] != "accepted" or column.accepted
        assert defect["rule"] != "at_least" or column.at_least is not None
        assert defect["rule"] != "required" or column.is_required


def test_without_the_quarantined_rows_the_newest_versions_are_the_clean_shop(delivered, planted):
    """Nothing of the clean shop is missing or changed, except the words that lost letters."""
    assert_newest_versions_are_clean(default_shop(), delivered, planted)


def assert_newest_versions_are_clean(shop, delivered, planted):
    bad = {(one["file"], one["key"]) for one in planted if one["outcome"] == "quarantined"}
    lost = {(one["table"], one["key"]) for one in planted if one["kind"] == "replacement_character"}
    corrected = {one["key"] for one in planted if one["kind"] == "late_correction"}
    newest = defaultdict(dict)
    for number, (name, rows) in enumerate(delivered.items()):
        table = table_of(name)
        version = CONTRACT.table(table).version
        for place, row in enumerate(rows):
            if "broken" in row or (name, key_of(table, row)) in bad:
                continue
            moment_of_row = moment(row[version]) if version else dt.datetime.min
            rank = (moment_of_row, number, place)
            key = key_of(table, row)
            if key not in newest[table] or newest[table][key][0] < rank:
                newest[table][key] = (rank, row)
    for table, clean in shop.tables.items():
        kinds = {field.name: field.type for field in clean.schema}
        staged = {
            key: {column: typed(row.get(column), kind) for column, kind in kinds.items()}
            for key, (_, row) in newest[table].items()
            if row.get("_is_deleted") != "true"
        }
        expected = {
            key_of(table, {name: text(value) for name, value in row.items()}): row
            for row in clean.to_pylist()
        }
        assert staged.keys() == expected.keys(), table
        for key, row in expected.items():
            found = staged[key]
            if (table, key) in lost:
                column = "body" if table == "reviews" else "first_name"
                assert "\N{REPLACEMENT CHARACTER}" in found[column]
                found[column] = row[column]
            if table == "orders" and key in corrected:
                found["updated_at"] = row["updated_at"]
            assert found == row, (table, key)


def test_every_delivered_row_is_staged_or_superseded_or_quarantined(delivered):
    assert_every_row_is_accounted_for(default_shop(), delivered)


def assert_every_row_is_accounted_for(shop, delivered):
    summary = shop.truth.summary
    landed = Counter()
    for name, rows in delivered.items():
        assert summary["files"][name] == len(rows)
        landed[table_of(name)] += len(rows)
    for table, expected in summary["rows"].items():
        assert expected["landed"] == landed[table]
        assert expected["landed"] == (
            expected["staged"] + expected["superseded"] + expected["quarantined"]
        )
        clean = shop.tables[table].num_rows
        assert expected["staged"] == clean + expected["staged_as_deleted"]


@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("customers", [1, 2, 3])
def test_defects_of_a_shop_of_a_few_customers_hide_nothing_of_it(tmp_path, customers, seed):
    """Most of its tables have rows in one delivery or in none."""
    shop = generate(Parameters(customers=customers, seed=seed))
    write(shop, tmp_path)
    delivered, planted = read_delivered(tmp_path), read_planted(tmp_path)
    assert {one["table"] for one in planted} >= {"customers", "products", "campaigns"}
    assert_planted_rows_are_in_their_files(shop, delivered, planted)
    assert_newest_versions_are_clean(shop, delivered, planted)
    assert_every_row_is_accounted_for(shop, delivered)


def test_what_is_deleted_was_delivered_before(delivered, planted):
    deleted = [one for one in planted if one["outcome"] == "deleted"]
    assert Counter(one["table"] for one in deleted) == {
        "orders": 4,
        "order_lines": 4,
        "reviews": 2,
    }
    for defect in deleted:
        first = delivered[f"{defect['table']}.csv.gz"]
        assert sum(key_of(defect["table"], row) == defect["key"] for row in first if row) == 1
        last = [
            row
            for row in delivered[defect["file"]]
            if key_of(defect["table"], row) == defect["key"]
        ]
        assert [row["_is_deleted"] for row in last] == ["true"]


@pytest.mark.parametrize(
    ("file", "words"),
    [(WINDOWS_FILES[0], ("José", "O’Brien")), (WINDOWS_FILES[1], ("très bien",))],
)
def test_a_windows_file_is_no_utf8_and_reads_as_cp1252(folder, planted, file, words):
    content = (folder / file).read_bytes()
    with pytest.raises(UnicodeDecodeError):
        content.decode()
    for word in words:
        assert word in content.decode("cp1252")
    planted = [one for one in planted if one["file"] == file]
    assert sum(one["kind"] == "windows_encoding" for one in planted) > 5


def test_later_deliveries_bring_changes_of_rows_already_delivered(delivered, planted):
    first = {row["order_id"]: row for row in delivered["orders.csv.gz"] if "broken" not in row}
    stale = {one["key"] for one in planted if one["kind"] == "stale_version"}
    moves = Counter(
        (first[row["order_id"]]["status"], row["status"])
        for name in ("orders_2025-11-30.csv", "orders_2025-12-31.csv")
        for row in delivered[name]
        if row["order_id"] in first and row["order_id"] not in stale
    )
    assert moves["fulfilled", "partially_refunded"] > 10
    assert moves["fulfilled", "refunded"] > 5
    assert moves["paid", "fulfilled"] >= 1
    life = ["pending", "paid", "fulfilled", "partially_refunded", "refunded", "cancelled", "fraud"]
    assert all(life.index(before) <= life.index(after) for before, after in moves)


def test_defects_are_refused_where_they_cannot_be_told(tmp_path):
    parameters = Parameters(customers=50)
    with pytest.raises(DataError, match="write csv, or make a shop without"):
        write(generate(parameters), tmp_path, "parquet")
    large = dataclasses.replace(parameters, customers=500, chunk_customers=100)
    with pytest.raises(DataError, match="up to 100 customers, not in 500"):
        generate(large)
    with pytest.raises(DataError, match="csv or parquet, not as 'xlsx'"):
        make(parameters, tmp_path, "xlsx")

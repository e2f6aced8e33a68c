"""Delimited text and JSON lines into landing: every data line becomes one row, as delivered."""

import csv
import gzip
import io
import random
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.resources.landing import Delivery, Landing

HEADER = "order_id,email,ordered_at,total_amount"
ROW = "O1,a@example.org,2025-03-04 10:00:00,12.50"


@pytest.fixture
def landing(tmp_path) -> Landing:
    return Landing(tmp_path / "data", clock=lambda: datetime(2025, 12, 1, 3, 30, tzinfo=UTC))


def deliver(landing: Landing, folder: Path, content: bytes | str, name: str = "orders.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return landing.deliver(path)


def rows(landing: Landing, columns: str, table: str = "orders") -> list[tuple]:
    relation = landing.relation_sql(table)
    return duckdb.sql(
        f"select {columns} from ({relation}) order by _batch_id, _row_number"
    ).fetchall()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_is_found(landing, tmp_path, delimiter):
    delivery = deliver(landing, tmp_path, f"{HEADER}\n{ROW}\n".replace(",", delimiter))
    assert delivery.manifest.delimiter == delimiter
    assert rows(landing, "order_id, email, ordered_at, total_amount") == [
        ("O1", "a@example.org", "2025-03-04 10:00:00", "12.50")
    ]


def test_a_comma_inside_values_does_not_hide_the_semicolon_between_them(landing, tmp_path):
    deliver(landing, tmp_path, f"{HEADER.replace(',', ';')}\nO1;a@b;2025-03-04;12,50\n")
    assert rows(landing, "total_amount") == [("12,50",)]


def test_headers_in_any_case_with_spaces_or_dashes_are_the_contract_s_columns(landing, tmp_path):
    delivery = deliver(
        landing, tmp_path, "Order ID,E-Mail,ordered-at,TotalAmount\nO1,a@b,2025-03-04,1\n"
    )
    assert rows(landing, "order_id, email, ordered_at, total_amount") == [
        ("O1", "a@b", "2025-03-04", "1")
    ]
    assert delivery.manifest.ignored_columns == ()
    assert "customer_id" in delivery.manifest.missing_columns


def test_columns_outside_the_contract_are_named_in_the_manifest(landing, tmp_path):
    delivery = deliver(landing, tmp_path, f",{HEADER},Till No,filename\n0,{ROW},7,f\n")
    assert delivery.manifest.ignored_columns == ("column 1", "Till No", "filename")
    assert rows(landing, "order_id, total_amount") == [("O1", "12.50")]


def test_values_land_as_delivered_and_empty_ones_are_null(landing, tmp_path):
    deliver(landing, tmp_path, f'{HEADER}\n 01 ,"",,"1,234.50 "\n')
    assert rows(landing, "order_id, email, ordered_at, total_amount") == [
        (" 01 ", None, None, "1,234.50 ")
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_any_line_end_is_read(landing, tmp_path, line_end):
    content = line_end.join([HEADER, ROW, ROW.replace("O1", "O2"), ""])
    delivery = deliver(landing, tmp_path, content.encode())
    assert delivery.manifest.rows == 2
    assert rows(landing, "order_id, total_amount") == [("O1", "12.50"), ("O2", "12.50")]


def test_mixed_line_ends_lose_no_line(landing, tmp_path):
    content = f"{HEADER}\r\n{ROW}\n{ROW.replace('O1', 'O2')}\r\n{ROW.replace('O1', 'O3')}"
    delivery = deliver(landing, tmp_path, content)
    assert delivery.manifest.problem_rows == 0
    assert rows(landing, "order_id, total_amount") == [
        ("O1", "12.50"),
        ("O2", "12.50"),
        ("O3", "12.50"),
    ]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_any_usual_encoding_gives_the_same_text(landing, tmp_path, encoding, name):
    content = f"{HEADER}\nO1,jürgen@müller.de,2025-03-04,€ 5\n".encode(encoding)
    delivery = deliver(landing, tmp_path, content)
    assert delivery.manifest.encoding == name
    assert rows(landing, "order_id, email, total_amount") == [("O1", "jürgen@müller.de", "€ 5")]


def test_a_utf8_file_with_some_cp1252_lines_reads_both_and_counts_them(landing, tmp_path):
    lines = [HEADER, "O1,zoë@x,2025-03-04,1", "O2,zoë@x,2025-03-04,2", "O3,plain@x,2025-03-04,3"]
    content = b"\n".join(
        line.encode("cp1252" if line.startswith("O2") else "utf-8") for line in lines
    )
    manifest = deliver(landing, tmp_path, content).manifest
    assert (manifest.encoding, manifest.lines_read_as_cp1252) == ("utf-8", 1)
    assert manifest.notes == ("1 lines are not utf-8: read as cp1252",)
    assert rows(landing, "email") == [("zoë@x",), ("zoë@x",), ("plain@x",)]


def test_a_gzipped_file_is_read_whatever_its_name_says(landing, tmp_path):
    text = f"{HEADER}\n{ROW}\n"
    deliver(landing, tmp_path, gzip.compress(text.encode()), "orders_1.csv.gz")
    deliver(landing, tmp_path, gzip.compress(text.replace("O1", "O2").encode()), "orders_2.csv")
    assert rows(landing, "_source, order_id") == [("orders_1.csv.gz", "O1"), ("orders_2.csv", "O2")]


def test_a_tab_separated_file_may_be_called_tsv(landing, tmp_path):
    deliver(landing, tmp_path, f"{HEADER}\n{ROW}\n".replace(",", "\t"), "orders.tsv")
    assert rows(landing, "order_id") == [("O1",)]


def test_lines_that_cannot_be_split_land_with_their_text_and_the_reason(landing, tmp_path):
    lines = [
        HEADER,
        "O1,a@b,2025-03-04,1",
        "O2,a@b",
        "O3,a@b,2025-03-04,3,extra",
        'O4,"a" b,2025-03-04,4',
        'O5,"never closed,2025-03-04,5',
        "O6,a@b,2025-03-04,6",
    ]
    manifest = deliver(landing, tmp_path, "\n".join(lines)).manifest
    assert (manifest.rows, manifest.problem_rows) == (6, 4)
    unsplit = "line cannot be split: a quoted value is not closed, or text follows its end"
    assert rows(landing, "_row_number, order_id, _problem, _raw") == [
        (1, "O1", None, None),
        (2, None, "line has 2 values and the header has 4", lines[2]),
        (3, None, "line has 5 values and the header has 4", lines[3]),
        (4, None, unsplit, lines[4]),
        (5, None, unsplit, lines[5]),
        (6, "O6", None, None),
    ]


def test_a_stray_quote_costs_its_own_line_and_no_other(landing, tmp_path):
    lines = [HEADER] + [f"O{n},a@b,2025-03-04,{n}" for n in range(1, 2001)]
    lines[1000] = 'O1000,"a@b,2025-03-04,1000'
    lines[1500] = 'O1500,"quoted, well",2025-03-04,1500'
    manifest = deliver(landing, tmp_path, "\n".join(lines)).manifest
    assert (manifest.rows, manifest.problem_rows) == (2000, 1)
    found = rows(landing, "_row_number, coalesce(order_id, _raw), email")
    assert [number for number, *_ in found] == list(range(1, 2001))
    assert found[998:1001] == [
        (999, "O999", "a@b"),
        (1000, lines[1000], None),
        (1001, "O1001", "a@b"),
    ]
    assert found[1499] == (1500, "O1500", "quoted, well")


def test_line_breaks_inside_quotes_belong_to_the_value(landing, tmp_path):
    content = f'{HEADER}\r\nO1,"first\r\nsecond\n""third""",2025-03-04,1\r\nO2,x,2025-03-04,2\r\n'
    manifest = deliver(landing, tmp_path, content).manifest
    assert (manifest.rows, manifest.problem_rows) == (2, 0)
    assert rows(landing, "_row_number, order_id, email") == [
        (1, "O1", 'first\r\nsecond\n"third"'),
        (2, "O2", "x"),
    ]


def test_quotes_inside_a_value_without_quotes_are_text(landing, tmp_path):
    deliver(landing, tmp_path, f'{HEADER}\nO1,5" pipe,2025-03-04,1\nO2,"2"" pipe",2025-03-04,2\n')
    assert rows(landing, "email") == [('5" pipe',), ('2" pipe',)]


def test_blank_lines_are_no_data_and_a_trailing_delimiter_is_no_column(landing, tmp_path):
    content = f"\n{HEADER}\n\nO1,a,2025-03-04,1,\n   \nO2,a,2025-03-04,2\n\n"
    manifest = deliver(landing, tmp_path, content).manifest
    assert (manifest.rows, manifest.problem_rows) == (2, 0)
    assert rows(landing, "_row_number, order_id") == [(1, "O1"), (2, "O2")]


def test_a_header_alone_is_a_delivery_without_rows(landing, tmp_path):
    assert deliver(landing, tmp_path, HEADER).manifest.rows == 0
    assert rows(landing, "order_id") == []


@pytest.mark.parametrize("random_state", range(3))
def test_what_python_s_csv_module_writes_is_read_back_value_by_value(tmp_path, random_state):
    chance = random.Random(random_state)
    pieces = ["a", " ", '"', ",", ";", "\n", "\r\n", "é", "€", "|", "\t", "\\", "'", "#", ""]
    for number in range(8):
        landing = Landing(tmp_path / f"data{number}")
        values = [
            ["".join(chance.choices(pieces, k=3)) for _ in range(3)] + ["last"]
            for _ in range(chance.randint(1, 8))
        ]
        text = io.StringIO()
        writer = csv.writer(
            text,
            delimiter=chance.choice(",;|\t"),
            quoting=chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
            lineterminator=chance.choice(["\n", "\r\n"]),
        )
        writer.writerow(HEADER.split(","))
        writer.writerows(values)
        encoding = chance.choice(["utf-8", "utf-16", "cp1252"])
        delivery = deliver(landing, tmp_path, text.getvalue().encode(encoding))
        assert delivery.manifest.problem_rows == 0
        assert rows(landing, HEADER) == [tuple(value or None for value in line) for line in values]


@pytest.mark.parametrize("random_state", range(3))
def test_as_many_rows_land_as_the_file_has_data_lines_however_broken(tmp_path, random_state):
    chance = random.Random(random_state)
    pieces = ["a", ",", ",", "b", "5", " "]
    for number in range(8):
        landing = Landing(tmp_path / f"data{number}")
        lines = ["x" + "".join(chance.choices(pieces, k=8)) for _ in range(200)]
        # One stray quote cannot be closed by any other.
        lines[chance.randrange(200)] = 'O1,"never closed,2025-03-04,1'
        manifest = deliver(landing, tmp_path, "\n".join([HEADER, *lines])).manifest
        assert manifest.rows == 200
        found = rows(landing, f"_row_number, _raw, concat_ws(',', {HEADER})")
        assert [row[0] for row in found] == list(range(1, 201))
        for line, (_, raw, values) in zip(lines, found, strict=True):
            is_good = line.count(",") == 3 and '"' not in line
            if is_good:
                assert values == ",".join(value for value in line.split(",") if value)
            elif line.count(",") != 4 or not line.endswith(","):
                assert raw == line


def test_json_lines_land_with_numbers_lists_and_objects_as_text(landing, tmp_path):
    content = (
        '{"Order ID": 12345678901234567890, "email": null, "ordered_at": "2025-03-04T10:00:00Z", '
        '"total_amount": 19.99, "promo_codes": ["A", "B"], "is_test": false}\n'
        '{"Order ID": "O2", "email": "ü", "ordered_at": "", "total_amount": 5}\n'
    )
    delivery = deliver(landing, tmp_path, content, "orders.jsonl")
    assert delivery.manifest.format == "json_lines"
    columns = "order_id, email, ordered_at, total_amount, promo_codes, is_test"
    assert rows(landing, columns) == [
        ("12345678901234567890", None, "2025-03-04T10:00:00Z", "19.99", "A,B", "false"),
        ("O2", "ü", None, "5", None, None),
    ]


def test_a_json_line_that_is_no_object_lands_with_its_text(landing, tmp_path):
    good = '{"order_id": "O%d", "email": "x", "ordered_at": "2025-03-04", "total_amount": 1}'
    lines = [good % 1, "", '{"order_id": "O2"', "[1, 2]", good % 3]
    manifest = deliver(landing, tmp_path, "\r\n".join(lines), "orders.ndjson").manifest
    assert (manifest.rows, manifest.problem_rows) == (4, 2)
    assert rows(landing, "_row_number, order_id, _problem, _raw") == [
        (1, "O1", None, None),
        (2, None, "line is not a JSON object", '{"order_id": "O2"'),
        (3, None, "line is not a JSON object", "[1, 2]"),
        (4, "O3", None, None),
    ]


def test_gzipped_json_lines_in_another_encoding_are_read(landing, tmp_path):
    line = '{"order_id": "O1", "email": "zoë", "ordered_at": "2025-03-04", "total_amount": 1}\n'
    deliver(landing, tmp_path, gzip.compress(line.encode("cp1252")), "orders.jsonl.gz")
    assert rows(landing, "order_id, email") == [("O1", "zoë")]


@pytest.mark.parametrize(
    ("values", "order", "found"),
    [
        (["2025-03-04", "2025/12/31 10:00"], "ymd", "iso"),
        (["04/03/2025", "31/12/2025"], "dmy", "values"),
        (["4.3.2025", "31.12.25 8:00"], "dmy", "values"),
        (["03/04/2025", "12/31/2025 8:00"], "mdy", "values"),
        (["2025-03-04", "13-02-2025"], "dmy", "values"),
        (["03/04/2025", "05/06/2025"], "mdy", "ambiguous"),
        (["31/12/2025", "12/31/2025"], "mdy", "contradictory"),
        (["", ""], "ymd", "iso"),
    ],
)
def test_the_date_order_is_found_from_the_file_s_values(tmp_path, values, order, found):
    landing = Landing(tmp_path / "data", default_date_order="mdy")
    lines = [f"O{n},a,{value},1" for n, value in enumerate(values)]
    manifest = deliver(landing, tmp_path, "\n".join([HEADER, *lines])).manifest
    assert (manifest.date_order, manifest.date_order_found) == (order, found)
    assert rows(landing, "_date_order") == [(order,)] * 2
    is_noted = any("order of day and month" in note for note in manifest.notes)
    assert is_noted == (found in ("ambiguous", "contradictory"))


def test_one_date_column_settles_the_order_for_the_others(landing, tmp_path):
    content = f"{HEADER},updated_at\nO1,a,03/04/2025,1,25/04/2025\n"
    assert deliver(landing, tmp_path, content).manifest.date_order == "dmy"


def test_a_deletion_is_read_from_its_column_and_a_doubtful_one_is_a_problem(landing, tmp_path):
    flags = ["", "false", "TRUE", "1", "no", "perhaps"]
    lines = [f"O{n},a,2025-03-04,1,{flag}" for n, flag in enumerate(flags)]
    deliver(landing, tmp_path, "\n".join([f"{HEADER},is_deleted", *lines]))
    assert rows(landing, "_is_deleted") == [(flag in ("TRUE", "1"),) for flag in flags]
    assert rows(landing, "_problem")[-1] == ("is_deleted is neither true nor false: perhaps",)
    assert rows(landing, "_problem")[:-1] == [(None,)] * 5


def test_every_row_says_where_it_comes_from(landing, tmp_path):
    delivery = deliver(landing, tmp_path, f"{HEADER}\n{ROW}\n")
    assert isinstance(delivery, Delivery)
    columns = "_source, _batch_id, _row_number, _loaded_at, _is_deleted, _problem, _raw, _timezone"
    assert rows(landing, columns) == [
        (
            "orders.csv",
            delivery.manifest.batch_id,
            1,
            datetime(2025, 12, 1, 3, 30),
            False,
            None,
            None,
            "UTC",
        )
    ]

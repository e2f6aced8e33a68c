"""`seeds/sample` is what the generator makes, small enough to be kept, and the same every time."""

import csv
import dataclasses
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sample_shops import default_shop

from orchestration.science.errors import DataError
from orchestration.science.sample_shop import (
    Parameters,
    customers_for_lines,
    generate,
    make,
    write,
)
from orchestration.science.sample_shop.parameters import Membership
from tests.shared import SAMPLE, TRUTH

PROJECT = Path(__file__).parents[3]


def content(path):
    """What a file says: compression and Parquet's own bookkeeping may differ between versions."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return pq.read_table(path) if path.suffix == ".parquet" else path.read_bytes()


def files_below(directory):
    found = (path.relative_to(directory) for path in directory.rglob("*") if path.is_file())
    return sorted(path for path in found if path.name != "README.md")


def test_making_the_shop_again_gives_the_same_seeds(tmp_path):
    write(default_shop(), tmp_path)
    assert files_below(tmp_path) == files_below(SAMPLE)
    for path in files_below(SAMPLE):
        assert content(tmp_path / path) == content(SAMPLE / path), path


def test_compressed_files_carry_no_name_and_no_time():
    for path in SAMPLE.glob("*.gz"):
        header = path.read_bytes()[:10]
        assert header[3] == 0, path
        assert header[4:8] == b"\0\0\0\0", path


def test_seeds_are_small():
    sizes = [path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()]
    assert max(sizes) < 900_000
    assert sum(sizes) < 9_000_000


def test_the_same_state_gives_the_same_shop_and_another_one_another():
    parameters = Parameters(customers=200, defects=False)
    first, again = generate(parameters), generate(parameters)
    other = generate(dataclasses.replace(parameters, seed=parameters.seed + 1))
    assert first.tables == again.tables
    assert first.truth.summary == again.truth.summary
    assert first.tables["orders"] != other.tables["orders"]


def test_the_truth_names_every_hidden_parameter():
    told = json.loads((TRUTH / "truth.json").read_text(encoding="utf-8"))["parameters"]
    assert told["purchasing"]["alpha"] == Parameters().purchasing.alpha
    assert told["end_date"] == "2025-12-31"

    def names(value):
        if isinstance(value, dict):
            return {name: names(one) for name, one in value.items()}
        return None

    expected = names(dataclasses.asdict(Parameters()))
    assert names(told) == expected


def test_the_truth_of_people_covers_the_customers_and_their_accounts():
    def column(name, key):
        with (TRUTH / name).open(newline="", encoding="utf-8") as file:
            return [row[key] for row in csv.DictReader(file)]

    people = column("people.csv", "person_id")
    assert len(people) == len(set(people)) == Parameters().customers
    owners = set(column("accounts.csv", "person_id"))
    # The rest of the owners are prospects, fraudsters and testers; some guests have no account.
    assert len(owners & set(people)) > 0.85 * len(people)


@pytest.mark.parametrize("chunk", [150, 400, 1000])
def test_a_streamed_shop_is_the_shop_in_memory(tmp_path, chunk):
    parameters = Parameters(customers=1000, defects=False, chunk_customers=chunk)
    paths = make(parameters, tmp_path, "parquet")
    tables = generate(parameters).tables
    assert sorted(path.stem for path in paths) == sorted(tables)
    for path in paths:
        table = pq.read_table(path)
        assert table == tables[path.stem]
    orders = tables["orders"].column("order_id")
    assert len(orders.unique()) == len(orders)
    people = pq.read_table(tmp_path / "truth" / "people.parquet")
    assert len(people.column("person_id").unique()) == 1000


def test_a_number_of_lines_can_be_asked_for():
    wanted = 60_000
    parameters = Parameters(customers=customers_for_lines(wanted), defects=False)
    lines = generate(parameters).tables["order_lines"].num_rows
    assert abs(lines / wanted - 1) < 0.05
    with pytest.raises(DataError, match="known for 3 years, not for 5"):
        customers_for_lines(wanted, years=5)


def test_one_year_and_no_future_make_a_shop_too():
    shop = generate(Parameters(customers=100, years=1, future_days=0, defects=False))
    moments = shop.tables["orders"].column("ordered_at").to_numpy()
    assert moments.min() >= np.datetime64("2025-01-01")
    assert sum(shop.truth.tables["people"].column("orders_next_365_days").to_pylist()) == 0


@pytest.mark.parametrize("customers", [1, 2, 25])
def test_the_smallest_shops_can_be_made(tmp_path, customers):
    make(Parameters(customers=customers, defects=False), tmp_path)
    assert (tmp_path / "orders.csv").stat().st_size > 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"customers": 0}, "customers must be at least 1, not 0"),
        ({"years": 0}, "years must be between 1 and 20, not 0"),
        ({"future_days": -1}, "future_days must not be negative, not -1"),
        (
            {"membership": Membership(renewal_annual=(0.999,))},
            "annual renewal probability of 0.999 cannot be had",
        ),
    ],
)
def test_impossible_parameters_are_refused(wrong, message):
    with pytest.raises(DataError, match=message):
        Parameters(**wrong)


def test_the_command_writes_a_shop_and_says_where(tmp_path):
    command = [sys.executable, "-m", "orchestration.science.sample_shop", "--customers", "60"]
    run = subprocess.run(
        [*command, "--out", str(tmp_path / "shop"), "--no-defects"],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
        env=dict(os.environ),
    )
    assert run.stdout.startswith("12 files, ")
    assert (tmp_path / "shop" / "truth" / "truth.json").is_file()
    refused = subprocess.run(
        [*command, "--out", str(tmp_path), "--format", "parquet", "--defects"],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith("sample_shop: defects are a matter of text files")

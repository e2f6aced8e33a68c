"""Hand-made deliveries and dbt runs on a warehouse of their own, for tests of what SQL makes of a delivery.

The rows go straight into `landing.<table>`, in the form that the landing gives them, so that a test can name a
batch, a time zone or a broken line without writing a file for it.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from orchestration.contract import load_contract
from orchestration.resources.landing.view import relation_sql
from orchestration.settings import PROJECT_DIRECTORY

WAREHOUSE_FILE = "warehouse.duckdb"


class StagedShop:
    """A warehouse file with empty landing tables, and dbt to build it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.file = directory / WAREHOUSE_FILE
        with self.connect() as warehouse:
            warehouse.execute("create schema landing")
            for table in load_contract():
                warehouse.execute(f"create table landing.{table.name} as {relation_sql(table, [])}")

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One connection, closed at once: an open one locks dbt out."""
        warehouse = duckdb.connect(str(self.file))
        try:
            yield warehouse
        finally:
            warehouse.close()

    def land(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append rows to a landing table; a column that a row does not name is NULL."""
        with self.connect() as warehouse:
            described = warehouse.execute(f"describe landing.{table}").fetchall()
            names = [name for name, *_ in described]
            for row in rows:
                unknown = set(row) - set(names)
                assert not unknown, f"{table} has no column {sorted(unknown)}"
                warehouse.execute(
                    f"insert into landing.{table} values ({', '.join('?' * len(names))})",
                    [row.get(name) for name in names],
                )

    def show_landing(self, relations: Mapping[str, str]) -> None:
        """Put views over real deliveries in the place of the hand-made tables."""
        with self.connect() as warehouse:
            warehouse.execute("drop schema landing cascade")
            warehouse.execute("create schema landing")
            for table, select in relations.items():
                warehouse.execute(f"create view landing.{table} as {select}")

    def build(self, *arguments: str) -> None:
        """Run dbt in this process on this warehouse; a model that fails raises."""
        result = _dbt(self.directory, self.file, arguments, _manifest())
        if not result.success:
            failed = [
                f"{node.node.name}: {node.message}"
                for node in getattr(result.result, "results", [])
                if node.status not in ("success", "pass")
            ]
            raise AssertionError(f"dbt {' '.join(arguments)} failed: {failed or result.exception}")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with self.connect() as warehouse:
            answer = warehouse.execute(sql)
            names = [column[0] for column in answer.description]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


@cache
def _manifest() -> Manifest:
    """The parsed project; parsing takes longer than the small builds of these tests, so it is done once."""
    with tempfile.TemporaryDirectory() as directory:
        # The file's name is the database's name, which the manifest holds.
        result = _dbt(Path(directory), Path(directory) / WAREHOUSE_FILE, ("parse",), None)
    assert isinstance(result.result, Manifest), result.exception
    return result.result


def _dbt(
    directory: Path, warehouse: Path, arguments: Sequence[str], manifest: Manifest | None
) -> dbtRunnerResult:
    places = {
        "RETENTION_WAREHOUSE": str(warehouse),
        "DBT_TARGET_PATH": str(directory / "target"),
        "DBT_LOG_PATH": str(directory / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    project = ["--project-dir", str(PROJECT_DIRECTORY), "--profiles-dir", str(PROJECT_DIRECTORY)]
    before = {name: os.environ.get(name) for name in places}
    os.environ.update(places)
    try:
        return dbtRunner(manifest=manifest).invoke(["--quiet", *arguments, *project])
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

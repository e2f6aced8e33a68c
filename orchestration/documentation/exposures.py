"""Exposures of what carries every public table: the two copies and the metrics, so that dbt knows who reads what.

`models/exposures/copies.yml` is written from the list of marts by `make dictionary`; a test holds it equal. Boards and
bundles read a few tables each and have exposures of their own, written by hand.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import yaml

from orchestration.documentation.dictionary import SEMANTICS
from orchestration.settings import PROJECT_DIRECTORY

FILE = Path("models/exposures/copies.yml")
OWNER = {"name": "data-engineering", "email": "data-engineering@shop.example"}


def marts(project: Path = PROJECT_DIRECTORY) -> list[str]:
    """Every model below models/marts, by name."""
    return sorted(file.stem for file in (project / "models" / "marts").rglob("*.sql"))


def measured(project: Path = PROJECT_DIRECTORY) -> list[str]:
    """The marts that a metric is computed from, and the calendar that they share."""
    found = {"dim_dates"}
    for file in (project / SEMANTICS).glob("*.yml"):
        found |= set(re.findall(r"model: ref\('(\w+)'\)", file.read_text(encoding="utf-8")))
    return sorted(found)


def text(project: Path = PROJECT_DIRECTORY) -> str:
    """The file as it has to be."""
    exposures = [
        _exposure(
            "published_copy",
            "Published copy",
            "The read-only DuckDB file behind serving/serving.duckdb, and the same tables as Parquet. Boards, the "
            "command line and BI tools on the same machine read it; a night that fails a check leaves it as it was.",
            marts(project),
        ),
        _exposure(
            "postgres_copy",
            "PostgreSQL copy",
            "The published night in a PostgreSQL database, for BI tools with many seats: role bi_reader, schema marts.",
            marts(project),
        ),
        _exposure(
            "metrics",
            "Metrics",
            "What MetricFlow answers from the published copy; docs/metrics.md says what each metric means.",
            measured(project),
        ),
    ]
    body = yaml.safe_dump({"exposures": exposures}, sort_keys=False, width=120, allow_unicode=True)
    return "# Written by `make dictionary` from the list of marts.\n" + body


def _exposure(name: str, label: str, description: str, models: Iterable[str]) -> dict:
    return {
        "name": name,
        "label": label,
        "type": "application",
        "maturity": "high",
        "description": description,
        "owner": dict(OWNER),
        "depends_on": [f"ref('{model}')" for model in models],
    }

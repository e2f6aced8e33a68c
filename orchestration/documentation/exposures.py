"""Exposures that follow from what the project lists, so that dbt knows who reads what.

`make dictionary` writes `models/exposures/copies.yml` from the list of marts (what carries every public table: the two
copies and the metrics) and `models/exposures/audiences.yml` from the audiences of `dbt_project.yml`; a test holds both
equal. Boards and bundles read a few tables each and have exposures of their own, written by hand.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from orchestration.documentation.dictionary import SEMANTICS
from orchestration.settings import PROJECT_DIRECTORY

COPIES = Path("models/exposures/copies.yml")
AUDIENCES = Path("models/exposures/audiences.yml")
ENGINEERS = {"name": "data-engineering", "email": "data-engineering@shop.example"}
MARKETERS = {"name": "crm", "email": "crm@shop.example"}


def marts(project: Path = PROJECT_DIRECTORY) -> list[str]:
    """Every model below models/marts, by name."""
    return sorted(file.stem for file in (project / "models" / "marts").rglob("*.sql"))


def measured(project: Path = PROJECT_DIRECTORY) -> list[str]:
    """The marts that a metric is computed from, and the calendar that they share."""
    found = {"dim_dates"}
    for file in (project / SEMANTICS).glob("*.yml"):
        found |= set(re.findall(r"model: ref\('(\w+)'\)", file.read_text(encoding="utf-8")))
    return sorted(found)


def texts(project: Path = PROJECT_DIRECTORY) -> dict[Path, str]:
    """The files as they have to be."""
    return {COPIES: copies(project), AUDIENCES: audiences(project)}


def copies(project: Path = PROJECT_DIRECTORY) -> str:
    """The exposures of what carries every public table."""
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
    return _file("the list of marts", exposures)


def audiences(project: Path = PROJECT_DIRECTORY) -> str:
    """An exposure of each audience: who is written to is decided in one table, and sent by the shop's own systems."""
    variables = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    exposures = [
        _exposure(
            f"audience_{audience['audience']}",
            f"Audience: {audience['label']}",
            f"{audience['who']} A window of {audience['window_days']} days, by {audience['channel']}.",
            ["fct_audience_members"],
            MARKETERS,
        )
        for audience in variables["audiences"]
    ]
    return _file("the audiences of dbt_project.yml", exposures)


def _file(source: str, exposures: list[dict]) -> str:
    body = yaml.safe_dump({"exposures": exposures}, sort_keys=False, width=120, allow_unicode=True)
    return f"# Written by `make dictionary` from {source}.\n{body}"


def _exposure(
    name: str,
    label: str,
    description: str,
    models: Iterable[str],
    owner: Mapping[str, str] = ENGINEERS,
) -> dict:
    return {
        "name": name,
        "label": label,
        "type": "application",
        "maturity": "high",
        "description": description,
        "owner": dict(owner),
        "depends_on": [f"ref('{model}')" for model in models],
    }

"""The metric dictionary as files: `docs/metrics.md` for people, and the doc blocks that metrics take their words from.

Both are written from `seeds/reference/metrics.csv` by `make dictionary` and never by hand; a test holds them equal.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import yaml

from orchestration.settings import PROJECT_DIRECTORY

SEED = Path("seeds/reference/metrics.csv")
SEMANTICS = Path("models/semantics")
BLOCKS = SEMANTICS / "_definitions.md"
PAGE = Path("docs/metrics.md")
# Where readings of other tools stand side by side. They are looked up there: none of them adds up, so none is a metric.
READINGS = "fct_metric_variants"


@dataclass(frozen=True)
class Definition:
    """One way to define a metric, as `dim_metrics` has it."""

    metric: str
    variant: str
    definition: str
    used_by: str
    is_default: bool
    table_name: str
    column_name: str
    reason: str

    @property
    def key(self) -> str:
        return f"{self.metric}.{self.variant}"

    @property
    def block(self) -> str:
        """Name of its doc block, for `doc(...)` in YAML."""
        return f"metric__{self.metric}__{self.variant}"

    @property
    def is_computed(self) -> bool:
        return bool(self.table_name)

    @property
    def is_a_metric(self) -> bool:
        """Computed where it can be asked for by any dimension."""
        return self.is_computed and self.table_name != READINGS


def definitions(project: Path = PROJECT_DIRECTORY) -> list[Definition]:
    """The rows of the seed, in its order."""
    with (project / SEED).open(encoding="utf-8", newline="") as file:
        return [
            Definition(**{**row, "is_default": row["is_default"] == "true"})
            for row in csv.DictReader(file)
        ]


def askable(project: Path = PROJECT_DIRECTORY) -> dict[str, list[str]]:
    """For each definition the metrics and dimensions that MetricFlow answers it by."""
    found: dict[str, list[str]] = {}
    for file in sorted((project / SEMANTICS).glob("*.yml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        for metric in content.get("metrics", ()):
            for key in _defines(metric):
                found.setdefault(key, []).append(metric["name"])
        for model in content.get("semantic_models", ()):
            owner = model.get("primary_entity") or model["entities"][0]["name"]
            for dimension in model.get("dimensions", ()):
                for key in _defines(dimension):
                    found.setdefault(key, []).append(f"{owner}__{dimension['name']}")
    return found


def blocks(rows: Iterable[Definition]) -> str:
    """Doc blocks of the definitions that metrics are made of."""
    parts = [
        "{# Written by `make dictionary` from seeds/reference/metrics.csv; change it there. #}\n"
    ]
    parts += [
        f"{{% docs {row.block} %}}\n{row.definition}\n{{% enddocs %}}\n"
        for row in rows
        if row.is_a_metric
    ]
    return "\n".join(parts)


def page(rows: Iterable[Definition], answered_by: Mapping[str, list[str]]) -> str:
    """The dictionary as one page, a section for each metric."""
    lines = [
        "<!-- Written by `make dictionary` from seeds/reference/metrics.csv; change it there. -->",
        "# What each number means",
        "",
        "Every metric with all the ways to define it that a reader may meet. **Default** is what the tables of this "
        "warehouse mean; a tool that shows another number may use another row. The same rows are the table "
        "`dim_metrics` of the published copy.",
        "Names in the last column can be asked for: `make metric NAME=order_count BY=metric_time__month`.",
    ]
    for metric, group in groupby(rows, key=lambda row: row.metric):
        lines += [
            "",
            f"## {metric.replace('_', ' ')}",
            "",
            "| variant | definition | who means it so | column | ask for |",
            "|---|---|---|---|---|",
        ]
        for row in group:
            variant = f"**{row.variant}** (default)" if row.is_default else row.variant
            words = " ".join(part for part in (row.definition, row.reason) if part)
            column = f"`{row.table_name}.{row.column_name}`" if row.is_computed else ""
            names = ", ".join(f"`{name}`" for name in answered_by.get(row.key, ()))
            cells = (variant, words, row.used_by, column, names)
            lines.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    return "\n".join(lines) + "\n"


def _defines(element: Mapping) -> list[str]:
    return element.get("config", {}).get("meta", {}).get("defines", [])


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")

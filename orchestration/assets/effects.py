"""The asset of the night's effects: occasions and ledger in, what each event did to customers out."""

from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
import pyarrow as pa

from orchestration.assets.scoring.reading import LEDGER_TABLES, dated, ids_heard, ledger_of
from orchestration.assets.shared import FRESHNESS, WRITER_POOL, picture
from orchestration.resources.progress import Progress
from orchestration.resources.warehouse import Warehouse
from orchestration.science import charts
from orchestration.science.effects.nightly import effect_table, effects_of_the_night

OCCASIONS = "intermediate.int_effects__events"
EFFECTS = dg.AssetKey(["scores", "effects"])
SHOWN_OUTCOMES = {
    "ordered": "share that orders within the horizon",
    "orders": "order days within the horizon",
    "margin": "margin within the horizon",
}


def effects_asset(owner: str) -> dg.AssetsDefinition:
    """The table `scores.effects`."""

    @dg.asset(
        key=EFFECTS,
        deps=[dg.AssetKey(name.split(".")) for name in (*LEDGER_TABLES, OCCASIONS)],
        group_name="effects",
        owners=[owner],
        kinds={"python", "duckdb"},
        freshness_policy=FRESHNESS,
        pool=WRITER_POOL,
        description=(
            "One row per event and outcome: the naive gap beside the adjusted effect, with intervals,"
            " overlap, a placebo and the verdict."
        ),
    )
    def effects(
        warehouse: dg.ResourceParam[Warehouse], progress: dg.ResourceParam[Progress]
    ) -> dg.MaterializeResult:
        with progress.step("effects") as step:
            table = estimate_the_night(warehouse)
            step.result(said_of(table))
            return dg.MaterializeResult(metadata=metadata_of(table))

    return effects


def estimate_the_night(warehouse: Warehouse) -> pa.Table:
    """Estimate every effect and write the table."""
    as_of_date: date = warehouse.night().as_of_date
    # Who is drawn of a large shop is drawn for the court as well.
    heard = ids_heard(warehouse)
    ledger = ledger_of(warehouse, as_of_date, heard)
    found = effects_of_the_night(ledger, warehouse.read(OCCASIONS, heard))
    estimated_at = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    table = dated(effect_table(found), estimated_at=estimated_at, as_of_date=as_of_date)
    warehouse.replace({"scores.effects": table})
    return table


def said_of(table: pa.Table) -> str:
    """One line for the terminal: what is identified, and of how many questions."""
    rows = table.to_pylist()
    told = sorted({row["event_name"] for row in rows if row["is_identified"]})
    asked = len({row["event_name"] for row in rows})
    words = ", ".join(name.replace("_", " ") for name in told) or "none"
    return f"{len(told)} of {asked} events with an identified effect: {words}"


def metadata_of(table: pa.Table) -> dict[str, Any]:
    """Counts, and a picture for each outcome."""
    rows = table.to_pylist()
    found: dict[str, Any] = {
        "dagster/row_count": len(rows),
        "identified": sum(row["is_identified"] for row in rows),
    }
    for outcome, words in SHOWN_OUTCOMES.items():
        own = [row for row in rows if row["outcome_name"] == outcome]
        drawing = charts.effect_forest(
            [_words(row) for row in own],
            [_bounds(row, "naive") for row in own],
            [_bounds(row, "adjusted") for row in own],
            f"Difference in the {words}, 95% intervals",
        )
        if drawing is not None:
            found[f"effects, {outcome}"] = picture(
                charts.png(drawing), f"Naive gap beside adjusted effect: {words}"
            )
    return found


def _words(row: dict[str, Any]) -> str:
    name = row["event_name"].replace("_", " ")
    return f"{name}, number {row['ordinal']}" if row["event_family"] == "bad_experience" else name


def _bounds(row: dict[str, Any], kind: str) -> tuple[float, float, float] | None:
    value = row[f"{kind}_difference"]
    return None if value is None else (row[f"{kind}_low_95"], value, row[f"{kind}_high_95"])

"""The asset of the night's scores: tables in, court and champions in science, tables out."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
import pyarrow as pa

from orchestration.assets.scoring.keeping import (
    incumbents_of,
    nights_of,
    with_history,
    with_last_good,
)
from orchestration.assets.scoring.reading import (
    CUSTOMERS,
    LEDGER_TABLES,
    MEMBERSHIPS,
    RENEWALS,
    SPELLS,
    attributes_of,
    dated,
    ledger_of,
    night_settings,
    table_or_none,
)
from orchestration.assets.scoring.reports import Night, reports, said_of_the_night
from orchestration.assets.shared import FRESHNESS, WRITER_POOL
from orchestration.resources.progress import Progress
from orchestration.resources.warehouse import Warehouse
from orchestration.science.court.trial import customers_heard
from orchestration.science.forecasts.per_ledger import known_at
from orchestration.science.ledger import Ledger
from orchestration.science.scoring import court_tables, customer_tables
from orchestration.science.scoring.customer_tables import Spoken, let_speak, membership_table
from orchestration.science.scoring.docket import (
    Case,
    NightSettings,
    forecasters_of,
    hold_court,
)
from orchestration.science.scoring.fit_tables import fit_table
from orchestration.science.value import membership_values
from orchestration.settings import Settings

COURT = {
    "score_backtests": "One row per score, horizon, candidate and origin: forecast beside what came.",
    "score_verdicts": "One row per score, horizon and candidate: what the court found, and why.",
    "score_champions": "One row per night, score and horizon: who spoke, and why.",
    "score_calibration": "One row per score, horizon, model and group of customers: mean forecast beside mean outcome.",
    "score_tracking": "One row per horizon, model, origin and step of weeks: orders expected beside orders that came.",
    "model_monitoring": "One row per watched number and day: drift, missing rates, bias by group.",
    "model_fits": "One row per fitted model and parameter, with the verdict of the fit.",
    "model_fit_history": "One row per night, fitted model and parameter.",
}
CUSTOMER_TABLES = {
    "customer_churn": "One row per customer and horizon: probability of no order, band and reasons.",
    "score_reasons": "One row per customer, horizon and reason: what moved the risk of churn most.",
    "customer_clv": "One row per customer: orders and margin still expected, with their bounds.",
    "customer_next_order": "One row per customer: when the next order is expected.",
    "membership_value": "One row per running membership: fees to come less the cost of its benefits.",
}
SCHEMAS = {
    "customer_churn": customer_tables.CHURN,
    "score_reasons": customer_tables.REASONS,
    "customer_clv": customer_tables.CLV,
    "customer_next_order": customer_tables.NEXT_ORDERS,
}
BY_HORIZON = ("customer_churn", "score_reasons")


def key_of(table: str) -> dg.AssetKey:
    """The asset of a table in the schema `scores`."""
    return dg.AssetKey(["scores", table])


def scoring_assets(customer_owner: str, court_owner: str) -> dg.AssetsDefinition:
    """All tables of the schema `scores`, made in one step so that the ledger is read once."""

    def spec(table: str, words: str, group: str, owner: str, deps: list) -> dg.AssetSpec:
        return dg.AssetSpec(
            key_of(table),
            deps=deps,
            group_name=group,
            owners=[owner],
            kinds={"python", "duckdb"},
            freshness_policy=FRESHNESS,
            description=words,
        )

    features = [dg.AssetKey(name.split(".")) for name in (*LEDGER_TABLES, CUSTOMERS)]
    memberships = [dg.AssetKey(name.split(".")) for name in (MEMBERSHIPS, RENEWALS, SPELLS)]

    @dg.multi_asset(
        name="scores",
        specs=[
            *(spec(table, words, "court", court_owner, features) for table, words in COURT.items()),
            *(
                spec(
                    table,
                    words,
                    "scores",
                    customer_owner,
                    memberships if table == "membership_value" else [key_of("score_champions")],
                )
                for table, words in CUSTOMER_TABLES.items()
            ),
        ],
        pool=WRITER_POOL,
    )
    def scores(
        settings: dg.ResourceParam[Settings],
        warehouse: dg.ResourceParam[Warehouse],
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[dg.MaterializeResult]:
        with progress.step("scores") as step:
            night = score_the_night(warehouse, settings)
            yield from reports(night)
            step.result(said_of_the_night(night))

    return scores


def score_the_night(warehouse: Warehouse, settings: Settings) -> Night:
    """Hold court over every score, let the champions speak, and write every table."""
    as_of_date = warehouse.night().as_of_date
    constants = night_settings(settings)
    ledger = ledger_of(warehouse, as_of_date)
    heard = customers_heard(ledger)
    champions_before = table_or_none(warehouse, "scores.score_champions")
    cases = hold_court(ledger, constants, incumbents_of(champions_before, as_of_date), heard)
    tonight = known_at(ledger, ledger.until)
    spoken = let_speak(cases, tonight, forecasters_of(ledger), constants)
    stamp = {"fitted_at": datetime.now(UTC).replace(tzinfo=None, microsecond=0)}

    tables = {
        table: dated(found, **stamp, as_of_date=as_of_date)
        for table, found in {
            **_court_tables(warehouse, heard, cases, spoken),
            "model_fits": fit_table(tonight, {case.ruling.champion or "" for case in cases}),
        }.items()
    }
    tables["score_champions"] = with_history(
        tables["score_champions"], champions_before, as_of_date
    )
    tables["model_fit_history"] = with_history(
        tables["model_fits"], table_or_none(warehouse, "scores.model_fit_history"), as_of_date
    )
    customers = pa.array(tonight.customer_ids, pa.string())
    for table, schema in SCHEMAS.items():
        said = spoken.tables.get(table)
        withheld = _withheld_horizons(table, constants, spoken)
        is_whole = said is not None and not withheld
        tables[table] = with_last_good(
            None if said is None else dated(said, **stamp),
            None if is_whole else table_or_none(warehouse, f"scores.{table}"),
            empty=dated(schema.empty_table(), **stamp),
            as_of_date=as_of_date,
            customers=customers,
            nights=nights_of(champions_before),
            withheld_horizons=withheld,
        )
    tables["membership_value"] = dated(
        _membership_table(warehouse, constants, ledger.until), **stamp
    )
    warehouse.replace({f"scores.{table}": found for table, found in tables.items()})
    return Night(cases, spoken, tonight, tables, warehouse.read(SPELLS))


def _court_tables(
    warehouse: Warehouse, heard: Ledger, cases: tuple[Case, ...], spoken: Spoken
) -> dict[str, pa.Table]:
    return {
        "score_backtests": court_tables.backtest_table(cases),
        "score_verdicts": court_tables.verdict_table(cases),
        "score_champions": court_tables.champion_table(cases, spoken.levels, spoken.silent),
        "score_calibration": court_tables.calibration_table(cases),
        "score_tracking": court_tables.tracking_table(cases, heard, forecasters_of(heard)),
        "model_monitoring": court_tables.monitoring_table(
            cases, heard, attributes_of(warehouse, heard)
        ),
    }


def _withheld_horizons(
    table: str, constants: NightSettings, spoken: Spoken
) -> tuple[int, ...] | None:
    """Horizons of churn that nobody spoke for tonight; None for a table of one score."""
    if table not in BY_HORIZON:
        return None
    return tuple(
        days for days in constants.churn_horizons_days if ("churn", days) not in spoken.levels
    )


def _membership_table(warehouse: Warehouse, constants: NightSettings, until: int) -> pa.Table:
    values = membership_values(
        warehouse.read(MEMBERSHIPS),
        warehouse.read(RENEWALS),
        constants.clv_horizon_days,
        constants.yearly_discount_rate,
    )
    return membership_table(values, until)

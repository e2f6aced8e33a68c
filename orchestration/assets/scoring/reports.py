"""What Dagster's pages and the terminal say of the night's scores: numbers, sentences, pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.assets.shared import picture
from orchestration.science import charts
from orchestration.science.court.calibration import calibration_bins
from orchestration.science.court.tracking import Week
from orchestration.science.forecasts.closed_forms import distinct_histories, fitted
from orchestration.science.ledger import Ledger
from orchestration.science.scoring.customer_tables import Spoken
from orchestration.science.scoring.docket import Case
from orchestration.science.survival import survival_curve

# The model whose parameters are shown over nights, and whose counts beside the counted ones.
SHOWN_MODEL = "bgnbd"
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Night:
    """All that a report may speak of; ``tables`` are those that were written, by name."""

    cases: tuple[Case, ...]
    spoken: Spoken
    tonight: Ledger
    tables: Mapping[str, pa.Table]
    spells: pa.Table


def reports(night: Night) -> Iterator[dg.MaterializeResult]:
    """One result per table, with its pictures."""
    pictures = {
        "score_backtests": _lifts(night),
        "score_calibration": _calibrations(night),
        "score_tracking": _trackings(night),
        "score_champions": {"champions": dg.MetadataValue.md(_champions(night.cases))},
        "score_verdicts": {"verdicts": dg.MetadataValue.md(_verdicts(night.cases))},
        "model_fits": _fits(night),
        "model_fit_history": _histories(night),
        "membership_value": _survival(night),
        "customer_clv": _value(night),
    }
    for name, table in night.tables.items():
        yield dg.MaterializeResult(
            asset_key=dg.AssetKey(["scores", name]),
            metadata={"dagster/row_count": table.num_rows, **pictures.get(name, {})},
        )


def said_of_the_night(night: Night) -> str:
    """One line for the terminal: who speaks for what, and what is withheld."""
    spoken = [
        f"{case.score.score_name} {case.score.horizon_days} d by {case.ruling.champion}"
        + (" (pooled)" if night.spoken.levels[case.key] == "pooled" else "")
        for case in night.cases
        if case.key in night.spoken.levels
    ]
    withheld = [
        f"{case.score.score_name} {case.score.horizon_days} d"
        for case in night.cases
        if case.key not in night.spoken.levels
    ]
    line = f"{night.tonight.n_customers:,} customers; " + ("; ".join(spoken) or "no score")
    return line + (f"; withheld: {', '.join(withheld)}" if withheld else "")


def _lifts(night: Night) -> dict[str, Any]:
    found = {}
    for case, name, words in _spoken_cases(night):
        expected = case.trial.expected(name)
        if expected is None or not case.trial.n_judged:
            continue
        drawing = charts.lift_plot(expected, case.trial.actual(), f"{words}: {name}")
        found[f"lift, {words}"] = picture(charts.png(drawing), f"Captured share by {name}")
    return found


def _calibrations(night: Night) -> dict[str, Any]:
    found = {}
    for case, name, words in _spoken_cases(night):
        bins = calibration_bins(case.trial, name)
        if not bins:
            continue
        drawing = charts.calibration_plot(bins, f"{words}: {name}, {case.trial.origins.note}")
        found[f"calibration, {words}"] = picture(
            charts.png(drawing), f"Forecast beside outcome of {name}, by frequency and by tenth"
        )
    return found


def _trackings(night: Night) -> dict[str, Any]:
    found = {}
    table = night.tables["score_tracking"].filter(pc.field("is_champion"))
    for case, name, words in _spoken_cases(night):
        own = [
            row for row in table.to_pylist() if (row["score_name"], row["horizon_days"]) == case.key
        ]
        if not own:
            continue
        weeks = [
            Week(
                (row["origin_date"] - _EPOCH).days,
                *(row[column] for column in Week._fields[1:]),
            )
            for row in own
        ]
        drawing = charts.tracking_plot(weeks, f"{words}: {name}")
        found[f"tracking, {words}"] = picture(
            charts.png(drawing), f"Orders by week after each origin, as {name} expected and counted"
        )
    return found


def _fits(night: Night) -> dict[str, Any]:
    table = night.tables["model_fits"]
    rows = [
        f"| {fit['model_name']} | {fit['parameter']} | {_number(fit['value'])} "
        f"| {_number(fit['standard_error'])} | {fit['verdict']} |"
        for fit in table.to_pylist()
    ]
    head = ["| model | parameter | value | standard error | verdict |", "|---|---|--:|--:|---|"]
    found: dict[str, Any] = {"parameters": dg.MetadataValue.md("\n".join([*head, *rows]))}
    if night.tonight.n_customers:
        fit = fitted(night.tonight, SHOWN_MODEL)
        x, t_x, T, position = distinct_histories(night.tonight)
        count = np.bincount(position, minlength=x.size).astype(float)
        drawing = charts.purchase_counts(fit, x, t_x, T, count)
        found["repeat orders, counted and expected"] = picture(
            charts.png(drawing), "Customers by repeat orders, as counted and as the fit expects"
        )
    return found


def _histories(night: Night) -> dict[str, Any]:
    table = night.tables["model_fit_history"]
    shown = table.filter(pc.field("model_name") == SHOWN_MODEL)
    if not shown.num_rows:
        return {}
    drawing = charts.parameter_history(
        shown["as_of_date"].to_pylist(),
        shown["parameter"].to_pylist(),
        _floats(shown, "value"),
        _floats(shown, "standard_error"),
        f"Parameters of {SHOWN_MODEL}, night by night",
    )
    return {
        "parameter history": picture(charts.png(drawing), f"Parameters of {SHOWN_MODEL} by night")
    }


def _survival(night: Night) -> dict[str, Any]:
    spells = night.spells
    paid = spells.filter(pc.field("paid_term_count") > 0)
    if not paid.num_rows:
        return {}
    curves = {}
    for plan in sorted(set(paid["first_plan_code"].to_pylist()), key=str):
        own = paid.filter(pc.field("first_plan_code") == plan)
        curves[str(plan)] = survival_curve(
            _floats(own, "tenure_days"),
            ~np.asarray(own["is_running"].to_pylist(), dtype=bool),
        )
    drawing = charts.survival_curves(curves, "Memberships still running, by first plan")
    return {
        "survival of memberships": picture(
            charts.png(drawing), "Share of memberships still running by days since they began"
        )
    }


def _value(night: Night) -> dict[str, Any]:
    table = night.tables["customer_clv"]
    return {
        "orders expected in 365 days": round(
            float(np.nansum(_floats(table, "expected_orders_365d"))), 1
        ),
        "residual value in 365 days": round(
            float(np.nansum(_floats(table, "residual_clv_365d_amount"))), 2
        ),
    }


def _spoken_cases(night: Night) -> Iterator[tuple[Case, str, str]]:
    for case in night.cases:
        if case.ruling.champion is not None:
            # Churn is judged as its opposite, the chance of an order.
            what = {"churn": "any order"}.get(case.score.score_name, case.score.score_name)
            words = f"{what} within {case.score.horizon_days} days"
            yield case, case.ruling.champion, words


def _champions(cases: tuple[Case, ...]) -> str:
    rows = [
        f"| {case.score.score_name} | {case.score.horizon_days} | {case.ruling.champion or 'withheld'} "
        f"| {case.ruling.incumbent or ''} | {case.ruling.challenger or ''} | {case.ruling.reason} |"
        for case in cases
    ]
    head = "| score | days | champion | incumbent | challenger | why |\n|---|--:|---|---|---|---|"
    return "\n".join([head, *rows])


def _verdicts(cases: tuple[Case, ...]) -> str:
    rows = [
        f"| {case.score.score_name} | {case.score.horizon_days} | {verdict.model_name} "
        f"| {'yes' if verdict.is_passing else 'no'} | {_number(verdict.mean_loss)} | {verdict.reason} |"
        for case in cases
        for verdict in case.verdicts
    ]
    head = "| score | days | model | passes | mean loss | why |\n|---|--:|---|---|--:|---|"
    return "\n".join([head, *rows])


def _floats(table: pa.Table, name: str) -> np.ndarray:
    return pc.cast(table[name], pa.float64()).to_numpy(zero_copy_only=False)


def _number(value: float | None) -> str:
    return "" if value is None or np.isnan(value) else f"{value:.4f}"

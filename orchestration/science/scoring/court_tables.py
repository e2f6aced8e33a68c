"""The court's findings as tables: one function per table of the schema `scores`.

What belongs here is layout. Every number arrives ready; what is NaN inside is null in a table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from orchestration.science.court import metrics
from orchestration.science.court.calibration import calibration_bins
from orchestration.science.court.candidates import Kind, Prediction
from orchestration.science.court.monitoring import (
    Reading,
    feature_readings,
    group_readings,
    score_readings,
)
from orchestration.science.court.tracking import tracking
from orchestration.science.court.trial import Hearing
from orchestration.science.court.verdicts import CALIBRATIONS, LOSSES
from orchestration.science.features import customer_features
from orchestration.science.forecasts.per_ledger import known_at
from orchestration.science.forecasts.records import Forecaster
from orchestration.science.ledger import Ledger
from orchestration.science.scoring.court_schemas import (
    BACKTESTS,
    CALIBRATION,
    CHAMPIONS,
    DAY,
    MONITORING,
    TRACKING,
    VERDICTS,
)
from orchestration.science.scoring.docket import Case
from orchestration.science.value import next_orders, share_ordered_by

BOOSTED = "boosted_"
# Features belong to no score: they are watched once, for all.
NO_SCORE, NO_HORIZON, NO_MODEL = "features", 0, "features"


def backtest_table(cases: Iterable[Case]) -> pa.Table:
    """One row per score, horizon, candidate and origin."""
    rows = [
        {
            **_model(case, candidate.model_name),
            "origin_date": hearing.origin,
            "is_baseline": candidate.is_baseline,
            **_errors(case.score.kind, hearing, hearing.predictions[candidate.model_name]),
        }
        for case in cases
        for hearing in case.trial.hearings
        for candidate in case.score.candidates
    ]
    return _table(rows, BACKTESTS)


def verdict_table(cases: Iterable[Case]) -> pa.Table:
    """One row per score, horizon and candidate: what the court found over all origins."""
    rows = [
        {
            **_model(case, verdict.model_name),
            "origins": len(case.trial.hearings),
            "customers": case.trial.n_judged,
            "mean_loss": verdict.mean_loss,
            "loss_difference": verdict.against_baseline.value,
            "loss_difference_low": verdict.against_baseline.low,
            "loss_difference_high": verdict.against_baseline.high,
            "loss_gain": verdict.against_baseline.gain,
            "normalised_gini": verdict.gini,
            "total_bias": verdict.total_bias,
            "calibration_slope": verdict.calibration_slope,
            "interval_coverage": verdict.interval_coverage,
            "loss_name": next(iter(LOSSES[case.score.kind])),
            "hardest_baseline": verdict.hardest_baseline,
            "reason": verdict.reason,
            "is_baseline": verdict.is_baseline,
            "is_converged": verdict.is_converged,
            "is_beating_baselines": verdict.is_beating_baselines,
            "is_calibrated": verdict.is_calibrated,
            "is_passing": verdict.is_passing,
        }
        for case in cases
        for verdict in case.verdicts
    ]
    return _table(rows, VERDICTS)


def champion_table(
    cases: Iterable[Case],
    published: Mapping[tuple[str, int], str],
    silent: Mapping[tuple[str, int], str],
) -> pa.Table:
    """One row per score and horizon: who speaks tonight, and why.

    Parameters
    ----------
    cases : iterable of Case
    published : mapping of case key to level
        Of the scores whose champion spoke tonight.
    silent : mapping of case key to text
        Why a champion did not speak.
    """
    rows = []
    for case in cases:
        ruling = case.ruling
        found = {verdict.model_name: verdict for verdict in case.verdicts}.get(
            ruling.champion or ""
        )
        rows.append(
            {
                "score_name": case.score.score_name,
                "horizon_days": case.score.horizon_days,
                "judged_horizon_days": case.trial.origins.horizon_days,
                "champion_model_name": ruling.champion,
                "incumbent_model_name": ruling.incumbent,
                "challenger_model_name": ruling.challenger,
                "origins": len(case.trial.hearings),
                "customers": case.trial.n_judged,
                "challenger_loss_difference": ruling.against_challenger.value,
                "challenger_loss_difference_low": ruling.against_challenger.low,
                "challenger_loss_difference_high": ruling.against_challenger.high,
                "loss_gain": found.against_baseline.gain if found else None,
                "level": published.get(case.key, "none"),
                "origins_note": case.trial.origins.note,
                "reason": ruling.reason
                + (f". Silent tonight: {silent[case.key]}" if case.key in silent else ""),
                "is_published": case.key in published,
            }
        )
    return _table(rows, CHAMPIONS)


def calibration_table(cases: Iterable[Case]) -> pa.Table:
    """One row per score, horizon, model and group; forecasts without a model are left out."""
    rows = [
        {**_model(case, candidate.model_name), **group._asdict()}
        for case in cases
        for candidate in case.score.candidates
        if not candidate.is_baseline
        for group in calibration_bins(case.trial, candidate.model_name)
    ]
    return _table(rows, CALIBRATION)


def tracking_table(
    cases: Iterable[Case], ledger: Ledger, forecasters: Mapping[str, Forecaster]
) -> pa.Table:
    """One row per horizon, model, origin and week, for the champion of orders and its challenger."""
    rows = []
    for case in cases:
        if case.score.score_name != "orders":
            continue
        for name in (case.ruling.champion, case.ruling.challenger):
            if name is None:
                continue
            for week in tracking(
                ledger, forecasters[name], case.trial.origins, _weeks_of(name, forecasters)
            ):
                values = week._asdict()
                origin = values.pop("origin")
                rows.append(
                    {
                        **_model(case, name),
                        "origin_date": origin,
                        "week_end_date": origin + 7 * week.week_number,
                        **values,
                    }
                )
    return _table(rows, TRACKING)


def _weeks_of(name: str, forecasters: Mapping[str, Forecaster]) -> Forecaster | None:
    """What boosted trees stand on: they are trained anew for each horizon, and weeks are many."""
    if not name.startswith(BOOSTED):
        return None
    return forecasters.get(f"levelled_{name.removeprefix(BOOSTED)}")


def monitoring_table(
    cases: Sequence[Case], ledger: Ledger, attributes: Mapping[str, NDArray[np.object_]]
) -> pa.Table:
    """One row per watched number and origin, for the champions and for the features.

    Parameters
    ----------
    cases : sequence of Case
    ledger : Ledger
        Whose customers were heard.
    attributes : mapping of name to array of text, shape (ledger.n_customers,)
    """
    rows = []
    for case in cases:
        name = case.ruling.champion
        if name is None:
            continue
        readings = [
            *score_readings(case.trial, name, _tonight(case, ledger)),
            *group_readings(case.trial, name, attributes),
        ]
        rows += [{**_model(case, name), **_reading(reading)} for reading in readings]
        rows += [{**_model(case, name), **_reading(one)} for one in _next_orders(case, ledger)]
    days = [*_origin_days(cases), ledger.until]
    described = [(day, customer_features(known_at(ledger, day))) for day in days]
    of_features = {
        "score_name": NO_SCORE,
        "horizon_days": NO_HORIZON,
        "judged_horizon_days": NO_HORIZON,
        "model_name": NO_MODEL,
    }
    rows += [{**of_features, **_reading(reading)} for reading in feature_readings(described)]
    return _table(rows, MONITORING)


def _tonight(case: Case, ledger: Ledger) -> tuple[int, Prediction] | None:
    """What the champion says of tonight, over the horizon that was judged."""
    tonight = known_at(ledger, ledger.until)
    for candidate in case.score.candidates:
        if candidate.model_name == case.ruling.champion and case.trial.hearings:
            return ledger.until, candidate.predict(tonight, case.trial.origins.horizon_days)
    return None


def _next_orders(case: Case, ledger: Ledger) -> Iterator[Reading]:
    """Share of customers who ordered by the days that were told them, origin by origin."""
    if case.score.score_name != "orders":
        return
    for day in case.trial.origins.days:
        known = known_at(ledger, day)
        said = case.champion_forecast(known)
        if said is None or said.level == "none":
            continue
        told = next_orders(known, [said])
        for measure, days in (("share_by_p50", told.p50_days), ("share_by_p90", told.p90_days)):
            share, asked = share_ordered_by(ledger, known, days)
            yield Reading("score", "next order", measure, day, asked, share)


def _origin_days(cases: Sequence[Case]) -> tuple[int, ...]:
    """The newest set of origins: that of the shortest horizon."""
    days = [case.trial.origins.days for case in cases if case.trial.origins.days]
    return max(days, key=lambda one: one[-1]) if days else ()


def _reading(reading: Reading) -> dict[str, Any]:
    values = reading._asdict()
    return {"origin_date": values.pop("origin"), **values}


def _model(case: Case, model_name: str) -> dict[str, Any]:
    return {
        "score_name": case.score.score_name,
        "horizon_days": case.score.horizon_days,
        "judged_horizon_days": case.trial.origins.horizon_days,
        "model_name": model_name,
        "is_champion": model_name == case.ruling.champion,
    }


def _errors(kind: Kind, hearing: Hearing, said: Prediction) -> dict[str, Any]:
    """Every measure of one candidate at one origin; those of another kind stay null."""
    actual = hearing.actual
    found: dict[str, Any] = {
        "customers": actual.size,
        "actual_total": actual.sum(),
        "loss_name": next(iter(LOSSES[kind])),
        "level": said.level,
        "fit_verdict": said.verdict,
    }
    if said.level == "none":
        return found
    expected = said.expected
    line = CALIBRATIONS[kind](expected, actual)
    found |= {
        "expected_total": expected.sum(),
        "mean_loss": LOSSES[kind][found["loss_name"]](expected, actual).mean(),
        "mean_absolute_error": metrics.mean_absolute_error(expected, actual),
        "root_mean_squared_error": metrics.root_mean_squared_error(expected, actual),
        "total_bias": metrics.total_bias(expected, actual),
        "spearman_correlation": metrics.spearman(expected, actual),
        "normalised_gini": metrics.normalised_gini(expected, actual),
        "top_decile_capture": metrics.top_capture(expected, actual),
        "calibration_slope": line.slope,
        "calibration_intercept": line.intercept,
    }
    if said.low is not None and said.high is not None:
        found["interval_coverage"] = metrics.coverage(said.low, said.high, actual)
    if kind == "probability":
        found |= {
            "brier_score": metrics.brier_score(expected, actual),
            "brier_skill": metrics.brier_skill(expected, actual),
            "expected_calibration_error": metrics.expected_calibration_error(expected, actual),
            "area_under_curve": metrics.area_under_curve(expected, actual),
            "lift_top_decile": metrics.lift(expected, actual),
        }
    return found


def _table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows in the columns of a schema; NaN becomes null, days since 1970 become dates."""
    columns = {}
    for field in schema:
        values = [_known(row.get(field.name)) for row in rows]
        if field.type == DAY:
            columns[field.name] = pa.array(values, pa.int32()).cast(DAY)
        else:
            columns[field.name] = pa.array(values, field.type)
    return pa.table(columns, schema=schema)


def _known(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not np.isfinite(plain) else plain

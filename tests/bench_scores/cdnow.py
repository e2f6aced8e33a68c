"""CDNOW, all 23,570 customers: 39 weeks to fit and 39 to predict, beside the published table."""

import numpy as np

from orchestration.science.churn.models import BASELINES as CHURN_BASELINES
from orchestration.science.churn.models import CHURN_FORECASTERS
from orchestration.science.churn.records import ChurnForecast
from orchestration.science.court import metrics
from orchestration.science.court.candidates import (
    Candidate,
    Prediction,
    churn_candidates,
    churn_score,
    forecast_of,
)
from orchestration.science.forecasts.registry import BASELINE_NAMES, FORECASTERS
from orchestration.science.ledger import Ledger
from orchestration.science.value.residual import earlier_forecasts, value_forecast
from tests.bench_scores.judging import (
    CHANCE_COLUMNS,
    COUNT_COLUMNS,
    Chosen,
    Say,
    chance_row,
    choose,
    count_row,
    orders_of,
    predictions,
    starred,
)
from tests.bench_scores.published import CDNOW_ORDERS, CDNOW_SPEND
from tests.bench_scores.tables import Aim, Cell, aims, share, table
from tests.real_shops import CDNOW_HORIZON_DAYS, cdnow, cdnow_known

CHURN_HORIZON_DAYS = 90
# Published beside each other: the best value of Pareto/NBD in each column.
AIM_MAE, AIM_RMSE, AIM_BIAS, AIM_GINI = 0.794, 1.726, 0.13, 0.673
AIM_AUC, AIM_ECE = 0.77, 0.015
AIM_COVERAGE = (0.78, 0.82)


def bench(say: Say) -> str:
    """Orders, spend and the chance of an order, each with the champion of that day."""
    known, later = cdnow_known(), cdnow()
    return "\n".join([_orders(known, later, say), _chance(known, later, say)])


def _orders(known: Ledger, later: Ledger, say: Say) -> str:
    score = orders_of(CDNOW_HORIZON_DAYS)
    came = later.outcomes(known, CDNOW_HORIZON_DAYS)
    say("cdnow: choosing the champion inside the 39 weeks to fit")
    chosen = choose(score, known)
    say("cdnow: forecasting 39 weeks")
    said = predictions(score, known, say)
    rows = [published_row(name, row) for name, row in CDNOW_ORDERS.items()]
    rows += [count_row(starred(name, chosen), one, came.order_count) for name, one in said.items()]
    found = [
        table(
            f"CDNOW, orders of 39 weeks: {known.n_customers:,} customers, "
            f"{came.order_count.sum():,.0f} orders (* champion; 'published' is the table to beat)",
            COUNT_COLUMNS,
            rows,
        ),
        str(chosen),
    ]
    if chosen.name is not None:
        found.append(aims(_order_aims(said[chosen.name], came.order_count, chosen.name)))
        found.append(_spend(known, came.net_amount, chosen, say))
    return "\n".join(found)


def _order_aims(said: Prediction, actual: np.ndarray, name: str) -> list[Aim]:
    covered = None
    if said.low is not None and said.high is not None:
        covered = metrics.coverage(said.low, said.high, actual)
    expected = said.expected
    return [
        Aim(f"CDNOW {name}: MAE", metrics.mean_absolute_error(expected, actual), at_most=AIM_MAE, digits=4),
        Aim(f"CDNOW {name}: RMSE", metrics.root_mean_squared_error(expected, actual), at_most=AIM_RMSE, digits=4),
        Aim(f"CDNOW {name}: total bias, size", abs(metrics.total_bias(expected, actual)), at_most=AIM_BIAS),
        Aim(f"CDNOW {name}: Gini", metrics.normalised_gini(expected, actual), at_least=AIM_GINI, digits=4),
        Aim(f"CDNOW {name}: 80% interval of orders holds", covered, at_least=AIM_COVERAGE[0], at_most=AIM_COVERAGE[1]),
    ]  # fmt: skip


def _spend(known: Ledger, actual: np.ndarray, chosen: Chosen, say: Say) -> str:
    """Value of each forecast of orders; CDNOW has no costs, so that margin is spend."""
    rows = [published_row(name, row) for name, row in CDNOW_SPEND.items()]
    covered, verdict, above = None, "", 0.0
    for name in dict.fromkeys(["bgnbd", "pareto_nbd", chosen.name]):
        say(f"cdnow: spend by {name}")
        forecaster = FORECASTERS[name]
        orders = forecast_of(known, forecaster, CDNOW_HORIZON_DAYS)
        earlier = earlier_forecasts(known, forecaster, CDNOW_HORIZON_DAYS)
        value = value_forecast(known, orders, 0.0, earlier)
        said = Prediction(value.level, value.verdict, value.expected, value.p10, value.p90)
        rows.append(
            count_row(f"{starred(name, chosen)} x {value.order_value_model_name}", said, actual)
        )
        if name == chosen.name and value.level != "none":
            covered, verdict = metrics.coverage(value.p10, value.p90, actual), value.verdict
            above = float((actual > value.p90).mean())
    return "\n".join(
        [
            table(f"CDNOW, spend of 39 weeks: {actual.sum():,.2f}", COUNT_COLUMNS, rows),
            f"  {verdict}",
            f"  {above:.1%} spent more than the upper bound that was said of them",
            aims(
                [
                    Aim(
                        f"CDNOW {chosen.name}: 80% interval of spend holds",
                        covered,
                        at_least=AIM_COVERAGE[0],
                        at_most=AIM_COVERAGE[1],
                    )
                ]
            ),
        ]
    )


def _chance(known: Ledger, later: Ledger, say: Say) -> str:
    candidates = (*churn_candidates(FORECASTERS, BASELINE_NAMES), *_of_churn_alone())
    score = churn_score(candidates, CHURN_HORIZON_DAYS)
    happened = score.outcome(later.outcomes(known, CHURN_HORIZON_DAYS))
    say("cdnow: choosing the champion of the chance of an order")
    chosen = choose(score, known)
    say(f"cdnow: chance of an order within {CHURN_HORIZON_DAYS} days")
    said = predictions(score, known, say)
    found = [
        table(
            f"CDNOW, any order within {CHURN_HORIZON_DAYS} days: {happened.mean():.1%} of customers",
            CHANCE_COLUMNS,
            [chance_row(starred(name, chosen), one, happened) for name, one in said.items()],
        ),
        str(chosen),
    ]
    if chosen.name is not None:
        p = said[chosen.name].expected
        auc = metrics.area_under_curve(p, happened)
        ece = metrics.expected_calibration_error(p, happened)
        reached = [
            Aim(f"CDNOW {chosen.name}: AUC", auc, at_least=AIM_AUC, digits=4),
            Aim(f"CDNOW {chosen.name}: ECE", ece, at_most=AIM_ECE, digits=4),
        ]
        found.append(aims(reached))
    return "\n".join(found)


def _of_churn_alone() -> tuple[Candidate, ...]:
    """Forecasters of churn that do not forecast orders as well."""

    def read(said: ChurnForecast) -> Prediction:
        return Prediction(said.level, said.verdict, said.p_order)

    return tuple(
        Candidate(name, one.predict, read, name in CHURN_BASELINES)
        for name, one in CHURN_FORECASTERS.items()
        if name not in FORECASTERS
    )


def published_row(name: str, values: tuple[float | None, ...]) -> list[Cell]:
    """A row of the published tables."""
    mae, rmse, bias, spearman, gini, top = values
    said = None if bias is None else share(bias)
    return [f"published: {name}", mae, rmse, said, spearman, gini, top, None]

"""Levelled closed forms, moved by trees where what customers bought says more than when.

What belongs here is the combination: a closed form says how often a customer orders, from the times
of orders alone; boosted trees say by which factor who buys like that differs from it; the shop's
level says what all of them add up to. With mu the levelled expectation of a closed form and z what
else is known of a customer (`modifiers`),

(1) orders ~ Poisson(mu exp(F(z))), F a sum of small trees (Friedman 2001), mu as given (an offset)
(2) forecast = mu exp(F(z)) sum(mu) / sum(mu exp(F(z)))

The trees learn at earlier days of the ledger (`origins`), where mu is first made to add up to what
came: a day's level is no matter for trees, as no feature knows the season. Their number is found by
cross-validation over customers, and is none unless the loss that it saves lies three standard
errors above nothing. Intervals are calibrated on predictions for customers that the trees had not seen.

Source: Friedman (2001), Greedy Function Approximation: A Gradient Boosting Machine, Annals of
Statistics 29(5), 1189-1232; Ke et al. (2017), LightGBM, NIPS 30.
"""

from dataclasses import dataclass

import lightgbm
import numpy as np
from numpy.typing import NDArray

from orchestration.science.churn.trees import usable_features
from orchestration.science.forecasts import counts, intervals, origins
from orchestration.science.forecasts.closed_forms import expectation, fitted
from orchestration.science.forecasts.counts import Counts
from orchestration.science.forecasts.level import level_of
from orchestration.science.forecasts.levelled import levelled
from orchestration.science.forecasts.modifiers import Matrix, modifiers
from orchestration.science.forecasts.per_ledger import per_ledger
from orchestration.science.forecasts.records import Forecast, no_forecast
from orchestration.science.ledger import Ledger

Floats = NDArray[np.float64]

# Trees of at most two questions, with many customers in a leaf: what is left to say beside a closed
# form is small. Chosen at earlier days of CDNOW's 39 weeks to fit, on Online Retail II and on the
# sample shop, among settings that differed by less than a tenth of what the trees gain.
PARAMETERS = {
    "objective": "poisson",
    "metric": "poisson",
    "learning_rate": 0.1,
    "max_depth": 2,
    "num_leaves": 4,
    "min_data_in_leaf": 200,
    "lambda_l2": 10.0,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 63,
    "boost_from_average": False,
    # The same input gives the same trees. One thread: small trees wait for a second one.
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 1,
    "verbosity": -1,
}
MOST_ROUNDS = 150
FOLDS = 5
# Fewer orders teach trees nothing that is not chance.
LEAST_ORDERS = 200
# A gain within three standard errors of none is none: the number of trees is the best of many, and
# brings some by chance alone. Real ones lie five and more out.
LEAST_STANDARD_ERRORS = 3.0


@dataclass(frozen=True)
class Rows:
    """Customers at earlier days: what is known, the offset, what came; arrays (n_rows, ...).

    ``fold`` is that of the customer, the same at every day; ``day`` is the earlier day.
    """

    matrix: Matrix
    offset: Floats
    orders: Floats
    fold: NDArray[np.intp]
    day: NDArray[np.intp]


@dataclass(frozen=True)
class Learned:
    """Trees, the columns that they read, and what they said of rows that they had not seen.

    ``booster`` is None where none are worth having. ``unseen`` is F(z) of (1) per earlier day.
    """

    booster: lightgbm.Booster | None
    columns: NDArray[np.intp]
    unseen: dict[int, Floats]
    verdict: str


@per_ledger
def learned(ledger: Ledger, closed_form: str, horizon_days: int) -> Learned:
    """Train trees on a closed form's errors at the inner origins of a ledger."""
    rows = _rows(ledger, closed_form, horizon_days)
    none = np.zeros(0, dtype=np.intp)
    if rows is None or rows.orders.sum() < LEAST_ORDERS:
        n_orders = 0 if rows is None else int(rows.orders.sum())
        said = f"no trees: {n_orders} orders after earlier days, {LEAST_ORDERS} are needed"
        return Learned(None, none, {}, said)
    names, today = modifiers(ledger)
    usable = usable_features(names, rows.matrix, today)
    if not usable.columns.size:
        return Learned(None, none, {}, "no trees: no feature varies and is as it was")
    matrix = rows.matrix[:, usable.columns]
    rounds, unseen, gain, error = _cross_validate(rows, matrix)
    if gain <= LEAST_STANDARD_ERRORS * error:
        return Learned(None, none, {}, "no trees: they save no loss beyond chance")
    booster = lightgbm.train(
        PARAMETERS, lightgbm.Dataset(matrix, rows.orders, init_score=rows.offset), rounds
    )
    said = (
        f"{rounds} trees of {len(usable.columns)} features save {gain / error:.0f} standard errors"
    )
    return Learned(
        booster, usable.columns, {int(day): unseen[rows.day == day] for day in set(rows.day)}, said
    )


def _rows(ledger: Ledger, closed_form: str, horizon_days: int) -> Rows | None:
    parts = []
    names = modifiers(ledger)[0]
    for origin in origins.inner_origins(ledger, horizon_days):
        known = origins.known_at(ledger, origin.day)
        said = expectation(ledger, closed_form, origin.horizon_days, origin.day)
        came = origins.orders_after(ledger, origin)
        if said is None or not came.sum():
            continue
        mu = np.maximum(said.expected_orders, 1e-9)
        place = np.searchsorted(ledger.customer_ids, known.customer_ids)
        parts.append(
            Rows(
                _aligned(*modifiers(known), names),
                np.log(mu * came.sum() / mu.sum()),
                came,
                _fold_of(place),
                np.full(came.size, origin.day),
            )
        )
    if not parts:
        return None
    return Rows(*(np.concatenate(column) for column in zip(*map(_columns, parts), strict=True)))


def _fold_of(place: NDArray[np.intp]) -> NDArray[np.intp]:
    """A fold for each customer, by a multiplicative hash: large ledgers keep every k-th customer."""
    return (place.astype(np.uint64) * np.uint64(2654435761) % np.uint64(2**32) % FOLDS).astype(int)


def _columns(rows: Rows) -> tuple[NDArray, ...]:
    return rows.matrix, rows.offset, rows.orders, rows.fold, rows.day


def _aligned(found: tuple[str, ...], matrix: Matrix, names: tuple[str, ...]) -> Matrix:
    """Bring columns into today's order; what nobody had met by then is unknown."""
    aligned = np.full((matrix.shape[0], len(names)), np.nan, dtype=np.float32)
    place = {name: position for position, name in enumerate(found)}
    for position, name in enumerate(names):
        if name in place:
            aligned[:, position] = matrix[:, place[name]]
    return aligned


def _cross_validate(rows: Rows, matrix: Matrix) -> tuple[int, Floats, float, float]:
    """Best number of trees, their F for rows not seen, the loss saved and its standard error."""
    boosters, curve = [], np.zeros(MOST_ROUNDS)
    for fold in range(FOLDS):
        seen, left = rows.fold != fold, rows.fold == fold
        train = lightgbm.Dataset(matrix[seen], rows.orders[seen], init_score=rows.offset[seen])
        held = train.create_valid(matrix[left], rows.orders[left], init_score=rows.offset[left])
        record: dict[str, dict[str, list[float]]] = {}
        boosters.append(
            lightgbm.train(
                PARAMETERS,
                train,
                MOST_ROUNDS,
                valid_sets=[held],
                valid_names=["held"],
                callbacks=[lightgbm.record_evaluation(record)],
            )
        )
        curve += np.array(record["held"]["poisson"]) * left.sum()
    rounds = int(curve.argmin()) + 1
    unseen = np.zeros(rows.orders.size)
    for fold, booster in enumerate(boosters):
        left = rows.fold == fold
        unseen[left] = booster.predict(matrix[left], raw_score=True, num_iteration=rounds)
    mu = np.exp(rows.offset)
    saved = mu - mu * np.exp(unseen) + rows.orders * unseen
    return rounds, unseen, float(saved.sum()), float(saved.std() * np.sqrt(saved.size))


@dataclass(frozen=True)
class Boosted:
    """A levelled closed form whose customers trees have moved against each other."""

    closed_form: str

    @property
    def model_name(self) -> str:
        """Name of the closed form, marked."""
        return f"boosted_{self.closed_form}"

    def predict(self, ledger: Ledger, horizon_days: int, day: int | None = None) -> Counts | None:
        """Forecast the distribution of every customer's orders; None if the fit failed.

        At an earlier day, which must be an inner origin, by trees that had not seen the customer.
        """
        base = levelled(ledger, self.closed_form, horizon_days, day)
        if base is None or not base.expected_orders.sum():
            return base
        known = learned(ledger, self.closed_form, _looked_ahead(ledger, horizon_days))
        if known.booster is None:
            return base
        if day is None:
            matrix = modifiers(ledger)[1][:, known.columns]
            moved = np.exp(np.asarray(known.booster.predict(matrix, raw_score=True)))
        elif day in known.unseen:
            moved = np.exp(known.unseen[day])
        else:
            return None
        total = base.expected_orders.sum() / (base.expected_orders @ moved)
        return counts.scaled(base, moved * total)

    def forecast(self, ledger: Ledger, horizon_days: int) -> Forecast:
        """Fit, correct the level, train and forecast; level ``none`` where the fit failed."""
        found = self.predict(ledger, horizon_days)
        level = level_of(ledger, self.closed_form, horizon_days)
        if found is None or level is None:
            verdict = fitted(ledger, self.closed_form).verdict
            return no_forecast(self.model_name, horizon_days, ledger.n_customers, verdict)
        known = learned(ledger, self.closed_form, _looked_ahead(ledger, horizon_days))
        return intervals.bounded(
            ledger, self, horizon_days, found, f"{known.verdict}; {level.verdict}", level.log_sd
        )


def _looked_ahead(ledger: Ledger, horizon_days: int) -> int:
    """How far inner origins look ahead: all longer horizons have the same ones, and one training."""
    inner = origins.inner_origins(ledger, horizon_days)
    return inner[0].horizon_days if inner else horizon_days


BOOSTED = (Boosted("bgnbd"), Boosted("pareto_nbd"))

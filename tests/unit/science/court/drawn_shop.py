"""A shop drawn for the court's tests, and candidates whose worth is known because they were made so."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from orchestration.science.court.candidates import Candidate, Prediction, Score
from orchestration.science.ledger import Ledger, ledger_from_tables

EPOCH = date(1970, 1, 1)
FIRST = date(2023, 1, 1)
FIRST_DAY = (FIRST - EPOCH).days


def drawn_shop(
    n_customers: int = 1_500, n_days: int = 720, seed: int = 5, is_leaving: bool = False
) -> tuple[Ledger, dict]:
    """Customers who all begin within 60 days and order at their own even rate.

    Where they leave, each does after a repeat order with a chance of their own. Returns the ledger and the true rate
    per day of every customer while they stay.
    """
    random = np.random.default_rng(seed)
    rates = random.gamma(0.8, 0.006, n_customers)
    ids, days = [], []
    for number, rate in enumerate(rates):
        name = f"C{number:05d}"
        start = int(random.integers(0, 60))
        later = start + 1 + random.integers(0, n_days - start, random.poisson(rate * n_days))
        placed = sorted({start, *later[later <= n_days].tolist()})
        orders = 1 + int(random.geometric(random.beta(1, 3))) if is_leaving else len(placed)
        for day in placed[:orders]:
            ids.append(name)
            days.append(FIRST + timedelta(days=int(day)))
    # Two fifths of what an order brings are margin.
    net = random.gamma(4.0, 5.0, len(ids))
    orders = pa.table(
        {"customer_id": ids, "ordered_date": days, "net_amount": net, "margin_amount": 0.4 * net}
    )
    ledger = ledger_from_tables(orders, FIRST_DAY + n_days)
    return ledger, {f"C{number:05d}": rate for number, rate in enumerate(rates)}


def as_it_is(said: Prediction) -> Prediction:
    """A forecast that is the prediction."""
    return said


def knowing(name: str, rates: dict, change=lambda expected: expected) -> Candidate:
    """A candidate that knows every customer's rate, and says ``change`` of it."""

    def predict(ledger: Ledger, horizon_days: int) -> Prediction:
        expected = np.array([rates[one] for one in ledger.customer_ids]) * horizon_days
        return Prediction("customer", "told", change(expected))

    return Candidate(name, predict, as_it_is)


def silent(name: str, verdict: str = "stopped on a ridge") -> Candidate:
    """A candidate whose fit never converges."""
    return Candidate(
        name,
        lambda ledger, days: Prediction("none", verdict, np.full(ledger.n_customers, np.nan)),
        as_it_is,
    )


def plain(ledger: Ledger, horizon_days: int) -> Prediction:
    """Own repeat orders per day, scaled."""
    frequency, _, age = ledger.histories()
    rate = np.divide(frequency, age, out=np.zeros(age.size), where=age > 0)
    return Prediction("customer", "own rate", rate * horizon_days)


def constant(ledger: Ledger, horizon_days: int) -> Prediction:
    """The same for everyone."""
    frequency, _, age = ledger.histories()
    return Prediction(
        "pooled", "mean", np.full(age.size, frequency.sum() / age.sum() * horizon_days)
    )


BASELINES = (
    Candidate("own_rate", plain, as_it_is, is_baseline=True),
    Candidate("mean", constant, as_it_is, is_baseline=True),
)


def orders_of(*candidates: Candidate, horizon_days: int = 91) -> Score:
    """Orders, with two plain forecasts beside the candidates."""
    return Score(
        "orders",
        "count",
        horizon_days,
        (*BASELINES, *candidates),
        lambda came: came.order_count,
    )

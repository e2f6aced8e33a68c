"""The sample shop against what its generator hid: the habits of each person, who had left, and the year to come.

The ledger is made of the facts of the simulation, one customer per person, so that what is measured
is forecasting and not identity. The oracle knows each person's hidden rate and chance of dropping
out, who had dropped out by the day, and the season to come; it does not know of memberships, which
speed buying up. What it leaves is chance.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from orchestration.science.court import metrics
from orchestration.science.court.candidates import Prediction
from orchestration.science.ledger import Ledger, ledger_from_tables
from orchestration.science.purchases import bgnbd
from orchestration.science.sample_shop.facts.orders import NORMAL
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop_time import SeasonClock, epoch_day
from orchestration.science.sample_shop.simulation import simulate
from tests.bench_scores.judging import (
    COUNT_COLUMNS,
    Say,
    choose,
    count_row,
    date_of,
    orders_of,
    predictions,
    starred,
)
from tests.bench_scores.tables import Aim, aims, table

Floats = NDArray[np.float64]

CUSTOMERS, SEED = 20_000, 7
HORIZON_DAYS = 90
# Quarter ends: each horizon lies in another season. Orders after the last one are in no file.
DAYS = (date(2025, 3, 31), date(2025, 6, 30), date(2025, 9, 30), date(2025, 12, 31))
AIM_BIAS = 0.10


@dataclass(frozen=True)
class HiddenShop:
    """A shop with its future, and what no shop knows of its people; arrays (n_people,)."""

    ledger: Ledger
    rate: Floats
    dropout: Floats
    left_day: NDArray[np.int64]
    clock: SeasonClock


def bench(say: Say) -> str:
    """Four days, 90 days ahead; then what was hidden beside what a fit says of it."""
    say(f"sample shop: making {CUSTOMERS:,} customers and their future")
    shop = _hidden_shop()
    score = orders_of(HORIZON_DAYS)
    found, reached = [], []
    for day in DAYS:
        known = shop.ledger.known_at(epoch_day(day))
        came = shop.ledger.outcomes(known, HORIZON_DAYS).order_count
        say(f"sample shop, {day}: choosing the champion")
        chosen = choose(score, known)
        said = predictions(score, known, say)
        oracle = _oracle(shop, known)
        rows = [count_row("oracle", oracle, came)]
        rows += [count_row(starred(name, chosen), one, came) for name, one in said.items()]
        title = (
            f"Sample shop, orders of {HORIZON_DAYS} days after {day}: "
            f"{known.n_customers:,} customers, {came.sum():,.0f} orders"
        )
        found += [table(title, COUNT_COLUMNS, rows), str(chosen)]
        if chosen.name is None:
            reached.append(Aim(f"Sample shop {day}: a champion", None, at_least=1))
            continue
        best = said[chosen.name].expected
        reached.append(
            Aim(
                f"Sample shop {day} {chosen.name}: bias, size",
                abs(metrics.total_bias(best, came)),
                at_most=AIM_BIAS,
            )
        )
    found.append(_leaving(shop))
    return "\n".join([*found, aims(reached)])


def _leaving(shop: HiddenShop) -> str:
    """Whether those who are said to be active with a probability are, as often."""
    known = shop.ledger.known_at(epoch_day(DAYS[-1]))
    histories = known.histories()
    fit = bgnbd.fit(*histories)
    if not fit.converged:
        return f"\n  hidden leaving is not compared: {fit.verdict}"
    alive = bgnbd.p_alive(fit, *histories)
    active = _active(shop, known)
    again = histories.frequency > 0
    rows = []
    edges = np.quantile(alive[again], np.linspace(0, 1, 6))
    fifth = np.clip(np.searchsorted(edges, alive, side="right") - 1, 0, 4)
    for index in range(5):
        own = again & (fifth == index)
        rows.append(
            [
                f"{edges[index]:.3f} to {edges[index + 1]:.3f}",
                int(own.sum()),
                float(alive[own].mean()),
                float(active[own].mean()),
            ]
        )
    return table(
        f"Sample shop, customers who ordered again, by p_alive on {DAYS[-1]}",
        ("p_alive of BG/NBD", "customers", "said", "hidden truth"),
        rows,
    )


def _oracle(shop: HiddenShop, known: Ledger) -> Prediction:
    """Expected orders of who knows each person: (1 - exp(-rate dropout w)) / dropout over w weeks."""
    person = _person_of(known)
    today = known.until - shop.clock.start_day + 1
    start, end = shop.clock.operational(np.array([today, today + HORIZON_DAYS], dtype=float))
    rate, dropout = shop.rate[person], shop.dropout[person]
    expected = -np.expm1(-rate * dropout * (end - start)) / dropout
    return Prediction("customer", "hidden habits", np.where(_active(shop, known), expected, 0.0))


def _active(shop: HiddenShop, known: Ledger) -> NDArray[np.bool_]:
    return shop.left_day[_person_of(known)] > known.until


def _person_of(known: Ledger) -> NDArray[np.int64]:
    return np.array([int(text) for text in known.customer_ids])


def _hidden_shop() -> HiddenShop:
    parameters = Parameters(customers=CUSTOMERS, defects=False, seed=SEED, end_date=DAYS[-1])
    frame, chunks = simulate(np.random.default_rng(SEED), parameters)
    # So few customers are one chunk, in which people count from 0.
    [facts] = chunks
    orders, visits = facts.orders, facts.visits
    occasions = orders.kind == NORMAL
    last_day = epoch_day(DAYS[-1]) + parameters.future_days
    net = (facts.money.gross - facts.money.discount - facts.money.tax) / 100 * orders.rate
    rows = pa.table(
        {
            "customer_id": [f"{person:08}" for person in orders.person[occasions].tolist()],
            "ordered_date": pa.array(orders.local_day[occasions].astype(np.int32)).cast(
                pa.date32()
            ),
            "net_amount": net[occasions],
            "margin_amount": net[occasions],
        }
    )
    left = np.full(facts.people.kind.size, np.iinfo(np.int64).max)
    inside = np.flatnonzero(facts.visits_inside)
    last = inside[visits.is_last[inside]]
    # Orders of the buying process come first, one per visit, in the order of the visits.
    left[visits.person[last]] = orders.local_day[np.searchsorted(inside, last)]
    seen = rows.filter(pc.less_equal(rows["ordered_date"], date_of(last_day)))
    return HiddenShop(
        ledger_from_tables(seen, last_day),
        facts.people.rate,
        facts.people.dropout,
        left,
        frame.clock,
    )

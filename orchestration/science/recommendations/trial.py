"""Which method speaks: all of them at earlier days of the shop, held against what was bought after.

The split is in time. A method passes if its lists are better than those of both yardsticks, what
sells and what the customer buys most, by the whole 95% interval of the paired difference in NDCG,
pooled over all origins. The ablest that passes speaks, unless another that passes is better than it
by its whole interval. If none passes, what sells is shown. Yardsticks keep the same rules of what may
be shown, and are filled up by what sells as the methods are, so that only the order is compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from orchestration.science.court.bootstrap import Difference, paired_difference
from orchestration.science.court.origins import quarterly_origins
from orchestration.science.recommendations.acts import PURCHASE, Interactions, acts_until
from orchestration.science.recommendations.catalogue import (
    Catalogue,
    Flags,
    Floats,
    Integers,
)
from orchestration.science.recommendations.lists import (
    CELLS_AT_ONCE,
    LENGTH,
    Method,
    permitted,
    rank,
)
from orchestration.science.recommendations.methods import Methods, fit_methods
from orchestration.science.recommendations.metrics import Hits, coverage, hits, mean_novelty
from orchestration.science.recommendations.popular import OwnMostFrequent

# What a list of today is for: the next purchase of most, and a quarter, as the origins lie apart.
HORIZON_DAYS = 90
YARDSTICKS = ("popular", "own_most_frequent")
# From plain to able.
CANDIDATES = ("content", "collaborative", "hybrid")
SCOPES = ("all", "new", "repeat")
# Fewer customers than this cannot tell two methods from one another.
FEWEST_JUDGED = 30


@dataclass(frozen=True)
class Measured:
    """One number of one method at one origin; ``low`` and ``high`` bound 95%, NaN where there are none."""

    method: str
    origin: int
    scope: str
    metric: str
    customers: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """What was found of a method over all origins, in NDCG: above 0 it is better than the yardstick."""

    method: str
    is_yardstick: bool
    is_passing: bool
    against: Difference
    hardest: str | None
    reason: str


@dataclass(frozen=True)
class Trial:
    """All that was measured, and who speaks tonight."""

    measured: tuple[Measured, ...]
    verdicts: tuple[Verdict, ...]
    champion: str
    reason: str


@dataclass(frozen=True)
class _Heard:
    """NDCG of every method, of the same customers over all origins."""

    customer: Integers
    ndcg: dict[str, Floats]


def try_methods(interactions: Interactions, catalogue: Catalogue, until: int) -> Trial:
    """Judge every method at earlier days, and choose who speaks.

    Parameters
    ----------
    interactions : Interactions
        Of the customers who are heard.
    until : int
        The night's last day; nothing later is known.
    """
    bought = interactions.kind == PURCHASE
    first = int(interactions.day[bought].min()) if bought.any() else until
    origins = quarterly_origins(first, until, HORIZON_DAYS)
    measured: list[Measured] = []
    heard: list[_Heard] = []
    for day in origins.days:
        own, one = _hear(interactions, catalogue, day, origins.horizon_days)
        measured += own
        heard.append(one)
    customer = np.concatenate([one.customer for one in heard] or [np.zeros(0, dtype=np.int64)])
    ndcg = {
        name: np.concatenate([one.ndcg[name] for one in heard] or [np.zeros(0)])
        for name in (*YARDSTICKS, *CANDIDATES)
    }
    if customer.size < FEWEST_JUDGED:
        why = origins.note if not origins.days else f"{customer.size} lists can be judged"
        return Trial(tuple(measured), _unjudged(why), YARDSTICKS[0], f"what sells is shown: {why}")
    verdicts = tuple(_verdict(name, ndcg, customer) for name in (*YARDSTICKS, *CANDIDATES))
    champion, reason = _choose(verdicts, ndcg, customer)
    return Trial(tuple(measured), verdicts, champion, f"{reason}; {origins.note}")


def speakers_of(champion: str, methods: Methods) -> tuple[Method, ...]:
    """The champion, and what sells behind it."""
    if champion == YARDSTICKS[0]:
        return (methods.popular,)
    return getattr(methods, champion), methods.popular


def _hear(
    interactions: Interactions, catalogue: Catalogue, day: int, horizon_days: int
) -> tuple[list[Measured], _Heard]:
    methods = fit_methods(interactions, catalogue, day)
    acts = acts_until(interactions, catalogue, day)
    on_shelf = catalogue.shelf(day)
    came = interactions.within(day + 1, day + horizon_days)
    came = came.where(came.kind == PURCHASE)
    buyers = np.intersect1d(acts.customer, came.customer)
    asked: tuple[Method, ...] = (
        methods.popular,
        OwnMostFrequent(),
        methods.content,
        methods.collaborative,
        methods.hybrid,
    )
    judged: list[Integers] = [np.zeros(0, dtype=np.int64)]
    lists: dict[str, list[Integers]] = {one.name: [] for one in asked}
    found: dict[tuple[str, str], list[Hits]] = {
        (one.name, scope): [] for one in asked for scope in SCOPES
    }
    for part in parts(buyers, catalogue.n_products):
        own = acts.of_customers(part)
        may_be_shown = permitted(own, catalogue, on_shelf)
        wanted = _bought(came, catalogue, part) & may_be_shown
        had = np.zeros_like(wanted)
        again = own.purchase_days > 0
        had[own.customer[again], own.product[again]] = True
        scopes = {"all": wanted, "new": wanted & ~had, "repeat": wanted & had}
        some = wanted.any(axis=1)
        judged.append(part[some])
        for method in asked:
            shown = rank(own, may_be_shown, (method, methods.popular)).product
            lists[method.name].append(shown[some])
            for scope, of_scope in scopes.items():
                rows = of_scope.any(axis=1)
                found[method.name, scope].append(hits(shown[rows], of_scope[rows]))
    measured, ndcg = [], {}
    n_shown = np.unique(catalogue.product[on_shelf]).size
    customer = np.concatenate(judged)
    for name, told in lists.items():
        for scope in SCOPES:
            whole = Hits(
                *(np.concatenate([np.zeros(0), *one]) for one in _turned(found[name, scope]))
            )
            measured += _measured(name, day, scope, whole)
            if scope == "all":
                ndcg[name] = whole.ndcg
        shown = np.concatenate([np.zeros((0, LENGTH), dtype=np.int64), *told])
        for metric, value in (
            ("coverage", coverage(shown, n_shown)),
            ("novelty", mean_novelty(shown, methods.novelty)),
        ):
            measured.append(
                Measured(name, day, "all", metric, customer.size, value, np.nan, np.nan)
            )
    return measured, _Heard(customer, ndcg)


def parts(customers: Integers, n_products: int) -> Iterator[Integers]:
    """Customers in parts whose scores of all products fit into memory at once."""
    size = max(1, CELLS_AT_ONCE // max(n_products, 1))
    for first in range(0, customers.size, size):
        yield customers[first : first + size]


def _bought(came: Interactions, catalogue: Catalogue, customers: Integers) -> Flags:
    """What each of some customers, ascending, bought; shape (n, n_products)."""
    found = np.zeros((customers.size, catalogue.n_products), dtype=bool)
    place = np.minimum(np.searchsorted(customers, came.customer), customers.size - 1)
    own = customers[place] == came.customer
    found[place[own], catalogue.product[came.variant[own]]] = True
    return found


def _turned(found: list[Hits]) -> tuple[list[Floats], ...]:
    """The parts of each measure."""
    return tuple([one[number] for one in found] for number in range(len(Hits._fields)))


def _measured(method: str, day: int, scope: str, found: Hits) -> list[Measured]:
    values = {
        f"recall_at_{LENGTH}": found.recall,
        f"hit_rate_at_{LENGTH}": found.is_hit,
        f"ndcg_at_{LENGTH}": found.ndcg,
    }
    rows = []
    for metric, value in values.items():
        mean, half = np.nan, np.nan
        if value.size:
            mean = float(value.mean())
        if value.size >= FEWEST_JUDGED:
            half = 1.959963984540054 * float(value.std(ddof=1)) / np.sqrt(value.size)
        low, high = max(mean - half, 0.0), min(mean + half, 1.0)
        if np.isnan(half):
            low = high = np.nan
        rows.append(Measured(method, day, scope, metric, value.size, mean, low, high))
    return rows


def _verdict(name: str, ndcg: dict[str, Floats], customer: Integers) -> Verdict:
    nothing = Difference(np.nan, np.nan, np.nan, np.nan)
    if name in YARDSTICKS:
        return Verdict(name, True, False, nothing, None, "a yardstick: beside the others")
    found = {one: _better_by(ndcg[name], ndcg[one], customer) for one in YARDSTICKS}
    hardest = min(YARDSTICKS, key=lambda one: found[one].value)
    lost = [one for one, difference in found.items() if not difference.low > 0]
    closest = found[hardest]
    reason = (
        f"NDCG {closest.value:+.4f} against {hardest}, {closest.low:+.4f} to {closest.high:+.4f}"
    )
    if lost:
        reason = f"does not beat {' and '.join(lost)}: {reason}"
    return Verdict(name, False, not lost, closest, hardest, reason)


def _choose(
    verdicts: tuple[Verdict, ...], ndcg: dict[str, Floats], customer: Integers
) -> tuple[str, str]:
    said = {one.method: one.reason for one in verdicts}
    passing = [one.method for one in verdicts if one.is_passing]
    if not passing:
        return YARDSTICKS[0], "what sells is shown: no method beats both yardsticks"
    ablest = passing[-1]
    better = [
        name for name in passing[:-1] if _better_by(ndcg[name], ndcg[ablest], customer).low > 0
    ]
    if not better:
        return ablest, f"the ablest of those that pass: {said[ablest]}"
    best = max(better, key=lambda name: (float(ndcg[name].mean()), name))
    return best, f"better than {ablest}, which passes too: {said[best]}"


def _better_by(own: Floats, other: Floats, customer: Integers) -> Difference:
    """How much better one is than another in NDCG; above 0 it is better."""
    loss = paired_difference(1 - own, 1 - other, customer)
    return Difference(-loss.value, -loss.high, -loss.low, loss.gain)


def _unjudged(why: str) -> tuple[Verdict, ...]:
    nothing = Difference(np.nan, np.nan, np.nan, np.nan)
    return tuple(
        Verdict(name, name in YARDSTICKS, False, nothing, None, f"not judged: {why}")
        for name in (*YARDSTICKS, *CANDIDATES)
    )

"""What the models of orders share: the record of a fit, the way to it, and orders drawn at random.

What belongs here is what every model of customers who never announce that they leave would
otherwise write again; `models` lists them and says what callers may ask of each. Time is in one
unit throughout (`time_unit` names it); the first order is at 0 and not counted in `frequency`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, xlog1py, xlogy

from orchestration.science.errors import DataError, NotConverged
from orchestration.science.histories import Groups, refuse_where
from orchestration.science.likelihood import Level, Objective, maximise

Floats = NDArray[np.float64]

# Four parameters cannot be told apart by fewer; the rest of the verdict judges what is above.
MINIMUM_CUSTOMERS = 30
MINIMUM_REPEATERS = 10
# Above this many groups of repeat buyers, the starts compete on every k-th group.
COARSE_GROUPS = 5_000


@dataclass(frozen=True, kw_only=True)
class PurchaseFit:
    """The verdict on fitted parameters; each model adds the parameters themselves.

    A fit whose ``level`` is neither ``converged`` nor ``given`` is refused by every prediction.
    ``log_likelihood`` is that of the times of all orders: it has no x! term, and is comparable
    between models that were fitted to the same histories in the same ``time_unit``.
    """

    label: ClassVar[str]
    # Those that are searched, in the order in which the model's likelihood takes them.
    parameters: ClassVar[tuple[str, ...]]
    # Parameters that are a time, and change with its unit; the others are pure numbers.
    times: ClassVar[tuple[str, ...]]

    time_unit: str
    level: Level
    verdict: str
    log_likelihood: float = np.nan
    n_customers: int = 0
    n_groups: int = 0
    standard_errors: dict[str, float] = field(default_factory=dict)

    @classmethod
    def given(cls, *, time_unit: str, **parameters: float) -> Self:
        """Parameters from a publication or a simulation's truth, not from a fit."""
        for name, value in parameters.items():
            if not (np.isfinite(value) and value > 0):
                raise DataError(f"{name} must be positive and finite; found {value}")
        return cls(
            **parameters,
            time_unit=time_unit,
            level="given",
            verdict="given: taken from elsewhere, not fitted",
        )  # type: ignore[arg-type]

    @property
    def converged(self) -> bool:
        """Whether predictions may be made from these parameters."""
        return self.level in ("converged", "given")

    def refuse_unless_converged(self) -> None:
        """Raise NotConverged with the verdict where predictions may not be made."""
        if not self.converged:
            raise NotConverged(f"{self.label}: {self.verdict}")


AnyFit = TypeVar("AnyFit", bound=PurchaseFit)


class Histories(NamedTuple):
    """Simulated customers; every array has shape (n_customers,).

    ``log_gap_sum`` is the sum over all repeat orders within the age of log(time since the last).
    """

    frequency: NDArray[np.int64]
    recency: Floats
    later_frequency: NDArray[np.int64]
    log_gap_sum: float


def fit_groups(
    fit_class: type[AnyFit],
    log_likelihood: Callable[[Groups], Objective],
    starts: Callable[[float], Sequence[Sequence[float]]],
    bounds: Sequence[tuple[float, float]],
    groups: Groups,
    time_unit: str,
    unit: float | None = None,
    **fixed: Any,
) -> AnyFit:
    """Fit a model to grouped histories by maximum likelihood, and judge the fit.

    Parameters
    ----------
    fit_class : type
        The record to return; its ``parameters`` are what is searched, in that order.
    log_likelihood : function
        From groups to the objective that `likelihood.maximise` climbs.
    starts : function
        From orders per customer and mean age to starting values, with time in mean ages.
    bounds : sequence of (lower, upper)
        Per parameter, with time in mean ages.
    groups : Groups
    time_unit : str
        Name of the unit of the histories. It is carried, not converted.
    unit : float, optional
        What is searched with as the unit of time, where the model counts time in steps that no
        other unit could replace; the mean age if absent.
    **fixed
        Further fields of the record, such as a parameter that is not searched.

    Returns
    -------
    PurchaseFit
        Always; a fit that may not be used says why in ``level`` and ``verdict``.
    """
    n_customers, n_groups = round(groups.count.sum()), groups.count.size
    n_repeaters = round(groups.count[groups.frequency > 0].sum())
    said = {"time_unit": time_unit, "n_customers": n_customers, "n_groups": n_groups, **fixed}
    if n_customers < MINIMUM_CUSTOMERS or n_repeaters < MINIMUM_REPEATERS:
        return fit_class(
            **dict.fromkeys(fit_class.parameters, np.nan),
            **said,
            level="too_little_data",
            verdict=f"too little data: {n_customers} customers of whom {n_repeaters} ordered "
            f"again; needed are {MINIMUM_CUSTOMERS} and {MINIMUM_REPEATERS}",
        )
    # With the mean age as the unit of time, one set of starts and bounds serves days and weeks.
    if unit is None:
        unit = float(np.average(groups.age, weights=groups.count))
    scaled = groups._replace(recency=groups.recency / unit, age=groups.age / unit)
    n_orders = float(groups.count @ groups.frequency)
    thinned = _thin(scaled)
    found = maximise(
        log_likelihood(scaled),
        fit_class.parameters,
        starts(n_orders / n_customers),
        bounds,
        coarse=None if thinned is None else log_likelihood(thinned),
    )
    in_unit = np.array([unit if name in fit_class.times else 1.0 for name in fit_class.parameters])
    values = dict(zip(fit_class.parameters, (found.parameters * in_unit).tolist(), strict=True))
    errors = (found.standard_errors * in_unit).tolist()
    return fit_class(
        **values,
        **said,
        level=found.level,
        verdict=found.verdict,
        # A density per order and unit of time: each order brings one factor of the unit.
        log_likelihood=float(found.log_likelihood - n_orders * np.log(unit)),
        standard_errors=dict(zip(fit_class.parameters, errors, strict=True)),
    )


def _thin(groups: Groups) -> Groups | None:
    """Every k-th group of repeat buyers at k times its count; None where there are few."""
    once = np.flatnonzero(groups.frequency == 0)
    again = np.flatnonzero(groups.frequency > 0)
    step = again.size // COARSE_GROUPS
    if step < 2:
        return None
    # Groups are sorted by frequency, so that every k-th is a sample stratified by it.
    kept = np.concatenate([once, again[::step]])
    factor = np.where(groups.frequency[kept] > 0, again.size / again[::step].size, 1.0)
    x, t_x, T, n = (column[kept] for column in groups)
    return Groups(x, t_x, T, n * factor)


def checked_horizon(horizon: ArrayLike) -> Floats:
    """Refuse a horizon that is not a length of time."""
    t = np.asarray(horizon, dtype=float)
    refuse_where(~(np.isfinite(t) & (t >= 0)), "horizon must be finite and >= 0", horizon=t)
    return t


def checked_count(count: ArrayLike) -> Floats:
    """Refuse a number of orders that is not one."""
    n = np.asarray(count, dtype=float)
    refuse_where(
        ~(np.isfinite(n) & (n >= 0) & (n == np.floor(n))),
        "count must be a whole number >= 0",
        count=n,
    )
    return n


def log_negative_binomial(count: Floats, shape: ArrayLike, share: Floats) -> Floats:
    """Log-probability of ``count`` events of a Poisson process with a gamma-distributed rate.

    Gamma(shape + n) / (Gamma(shape) n!) (1 - share)^shape share^n, where share is t / (scale + t)
    for a rate distributed as Gamma(shape, scale) that runs for a time t.
    """
    return (
        gammaln(shape + count)
        - gammaln(shape)
        - gammaln(count + 1)
        + xlog1py(shape, -share)
        + xlogy(count, share)
    )


def draw_orders(
    random: np.random.Generator,
    rate: Floats,
    age: Floats,
    later: float,
    p_leave: ArrayLike = 0.0,
    lifetime: ArrayLike = np.inf,
    regularity: int = 1,
) -> Histories:
    """Draw the orders of customers one by one, and keep of them what a model is fitted to.

    Parameters
    ----------
    random : Generator
        The only source of randomness.
    rate : array of float >= 0, shape (n_customers,)
        Of the events of which every ``regularity``-th is an order.
    age : array of float, shape (n_customers,)
        How long each customer is observed.
    later : float
        Length of a further period after ``age`` in which orders are counted apart.
    p_leave : array of float in [0, 1], broadcast
        Probability of leaving right after an order.
    lifetime : array of float >= 0, broadcast
        Time after which there are no more orders.
    regularity : int >= 1
        1 for waiting times without memory; k for an Erlang-k distribution.
    """
    n_customers = age.size
    leaves = np.broadcast_to(np.asarray(p_leave, dtype=float), n_customers)
    end = np.minimum(age + later, np.asarray(lifetime, dtype=float))
    frequency = np.zeros(n_customers, dtype=np.int64)
    later_frequency = np.zeros(n_customers, dtype=np.int64)
    recency, now = np.zeros(n_customers), np.zeros(n_customers)
    log_gap_sum = 0.0
    active = np.flatnonzero(rate > 0)
    while active.size:
        now[active] += random.standard_gamma(regularity, active.size) / rate[active]
        active = active[now[active] <= end[active]]
        seen = active[now[active] <= age[active]]
        log_gap_sum += float(np.log(now[seen] - recency[seen]).sum())
        frequency[seen] += 1
        recency[seen] = now[seen]
        later_frequency[active[now[active] > age[active]]] += 1
        active = active[random.random(active.size) >= leaves[active]]
    return Histories(frequency, recency, later_frequency, log_gap_sum)

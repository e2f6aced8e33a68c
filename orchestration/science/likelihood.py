"""Maximum likelihood for positive parameters: several starts, bounds, standard errors, a verdict.

What belongs here is the search and the judgement on it, the same for every model. The likelihoods
and their gradients live with their models.

Parameters are searched on the log scale, where they are positive without a constraint and where a
step means the same ratio for a shape of 0.2 and a scale of 2,000. A climb by L-BFGS-B from each
start is finished by Newton steps, so that the verdict can rest on the Newton decrement: the gain in
log-likelihood still to be had, in the same unit for ten customers and for ten million.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
Objective = Callable[[Floats], tuple[float, Floats]]
Level = Literal[
    "converged", "given", "at_bound", "not_identified", "not_converged", "too_little_data"
]

# Log-likelihood units. Differences this small move no printed digit of any parameter.
DECREMENT_TOLERANCE = 1e-6
# Two starts that end further apart than this have found different summits.
SUMMIT_TOLERANCE = 0.05
# On the log scale. A ridge without a summit shows errors in the hundreds; a summit that is merely
# wide (a shop that rarely loses customers says little about b) shows 3 to 6, predicts as well as
# any, and is named in the verdict.
IDENTIFIED_STANDARD_ERROR = 20.0
WIDE_STANDARD_ERROR = 2.0
# On the log scale: within 0.1% of a bound is at the bound.
BOUND_TOLERANCE = 1e-3
NEWTON_STEPS = 25
DIFFERENCE_STEP = 1e-4


@dataclass(frozen=True)
class Maximum:
    """Where a search ended and whether it may be used.

    ``parameters`` and ``standard_errors`` are on the natural scale, shape (n_parameters,);
    an error that could not be had is NaN.
    """

    parameters: Floats
    standard_errors: Floats
    log_likelihood: float
    level: Level
    verdict: str


def maximise(
    objective: Objective,
    names: Sequence[str],
    starts: Sequence[Sequence[float]],
    bounds: Sequence[tuple[float, float]],
    coarse: Objective | None = None,
) -> Maximum:
    """Climb a log-likelihood from several starts and judge the summit.

    Parameters
    ----------
    objective : function
        Takes log parameters, shape (n_parameters,); returns the log-likelihood of all
        customers and its gradient with respect to the log parameters.
    names : sequence of str
        The parameters' names, for the verdict.
    starts : sequence of sequence of float
        Starting values on the natural scale; at least two.
    bounds : sequence of (lower, upper)
        Per parameter, on the natural scale. Ending at one is a verdict, not a solution.
    coarse : function, optional
        A cheaper stand-in for ``objective`` (a thinned sample of the groups), on which the
        starts compete. From the winner, Newton steps lead to the summit of the full one: with its
        own gradient and the stand-in's curvature, which differs by sampling error alone.

    Returns
    -------
    Maximum
    """
    low, high = np.log(np.asarray(bounds, dtype=float)).T
    climbs = [_climb(coarse or objective, np.log(start), low, high) for start in starts]
    summits = np.array([value for value, _ in climbs])
    if not np.isfinite(summits).any():
        nothing = np.full(len(names), np.nan)
        return Maximum(
            nothing,
            nothing,
            np.nan,
            "not_converged",
            "not converged: the log-likelihood is not finite from any start",
        )
    best = int(np.nanargmax(summits))
    agreeing = int((summits >= summits[best] - SUMMIT_TOLERANCE).sum())
    point = climbs[best][1]
    settled = False
    if coarse is not None:
        point, settled = _newton(objective, point, low, high, curved_as=coarse)
        if not settled:
            _, point = _climb(objective, point, low, high)
    if not settled:
        point, _ = _newton(objective, point, low, high)
    said = f"{agreeing} of {len(starts)} starts agree"
    return _judge(objective, names, point, low, high, said, agreeing)


def _climb(objective: Objective, start: Floats, low: Floats, high: Floats) -> tuple[float, Floats]:
    """Run L-BFGS-B from one start, on the objective scaled to order one."""
    start = np.clip(start, low, high)
    value, _ = objective(start)
    if not np.isfinite(value):
        return np.nan, start
    scale = max(abs(value), 1.0)

    def downhill(point: Floats) -> tuple[float, Floats]:
        value, gradient = objective(point)
        return -value / scale, -gradient / scale

    found = minimize(
        downhill,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, high, strict=True)),
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-9},
    )
    return -float(found.fun) * scale, found.x


def _newton(
    objective: Objective,
    point: Floats,
    low: Floats,
    high: Floats,
    curved_as: Objective | None = None,
) -> tuple[Floats, bool]:
    """Finish a climb with Newton steps, halved until they do not descend.

    Their curvature is that of ``curved_as``, if given. Returns where they end, and whether nothing
    is left to be gained there.
    """
    value, gradient = objective(point)
    for _ in range(NEWTON_STEPS):
        if _at_bound(point, low, high).any():
            return point, False
        step = _newton_step(_information(curved_as or objective, point), gradient)
        if step is None:
            return point, False
        decrement = gradient @ step / 2
        if decrement < DECREMENT_TOLERANCE * 1e-4:
            return point, True
        # A ridge asks for giant steps; a factor of e^2 at a time stays inside the model.
        step *= min(1.0, 2.0 / np.abs(step).max())
        for _ in range(8):
            ahead = np.clip(point + step, low, high)
            value_ahead, gradient_ahead = objective(ahead)
            if value_ahead >= value:
                point, value, gradient = ahead, value_ahead, gradient_ahead
                break
            step /= 2
        else:
            # What is left may be less than the rounding of a sum over millions.
            return point, bool(decrement < DECREMENT_TOLERANCE)
    return point, False


def _newton_step(information: Floats, gradient: Floats) -> Floats | None:
    """Solve for the Newton step; None where the surface does not curve downwards."""
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return None
    return np.linalg.solve(information, gradient)


def _information(objective: Objective, point: Floats) -> Floats:
    """Observed information: minus the Hessian, by central differences of the exact gradient."""
    size = point.size
    hessian = np.empty((size, size))
    for index in range(size):
        nudge = np.zeros(size)
        nudge[index] = DIFFERENCE_STEP
        ahead, behind = objective(point + nudge)[1], objective(point - nudge)[1]
        hessian[index] = (ahead - behind) / (2 * DIFFERENCE_STEP)
    return -(hessian + hessian.T) / 2


def _at_bound(point: Floats, low: Floats, high: Floats) -> NDArray[np.bool_]:
    return (point - low < BOUND_TOLERANCE) | (high - point < BOUND_TOLERANCE)


def _judge(
    objective: Objective,
    names: Sequence[str],
    point: Floats,
    low: Floats,
    high: Floats,
    starts_said: str,
    agreeing: int,
) -> Maximum:
    """Name what is wrong with a summit, worst first, or say that nothing is."""
    value, gradient = objective(point)
    parameters = np.exp(point)
    information = _information(objective, point)
    step = _newton_step(information, gradient)
    log_errors = np.full(point.size, np.nan)
    if step is not None:
        log_errors = np.sqrt(np.diag(np.linalg.inv(information)))
    # d(theta) = theta d(log theta): the delta method, exact at first order.
    errors = parameters * log_errors

    def verdict(level: Level, text: str) -> Maximum:
        return Maximum(parameters, errors, float(value), level, text)

    if not np.isfinite(value):
        return verdict("not_converged", "not converged: the log-likelihood is not finite")
    bound = _at_bound(point, low, high)
    if bound.any():
        which = ", ".join(
            f"{name} = {parameters[index]:.3g}" for index, name in enumerate(names) if bound[index]
        )
        return verdict("at_bound", f"not converged: the best fit lies at a bound ({which})")
    if step is None:
        return verdict(
            "not_identified",
            "not converged: the data do not identify the parameters (the information matrix "
            "is not positive definite)",
        )
    if log_errors.max() > IDENTIFIED_STANDARD_ERROR:
        name = names[int(log_errors.argmax())]
        return verdict(
            "not_identified",
            f"not converged: the data do not identify {name} (its logarithm has a standard "
            f"error of {log_errors.max():.1f})",
        )
    decrement = float(gradient @ step / 2)
    if decrement > DECREMENT_TOLERANCE:
        return verdict(
            "not_converged",
            f"not converged: {decrement:.2g} of log-likelihood was still to be gained when "
            "the search stopped",
        )
    if agreeing < 2:
        return verdict("not_converged", f"not converged: only {starts_said} on the summit")
    wide = [
        name for name, error in zip(names, log_errors, strict=True) if error > WIDE_STANDARD_ERROR
    ]
    caution = f"; {', '.join(wide)} known only by order of magnitude" if wide else ""
    return verdict("converged", f"converged: {starts_said} on the summit{caution}")

"""Renewals of memberships: how long members stay who decide anew at the end of each term.

Two models (Fader & Hardie 2007; Fader, Hardie, Liu, Davin & Steenburgh 2018), one the special case
of the other:

1. At the end of the n-th term a member stays with probability (1 - theta)^(n^c - (n-1)^c).
2. theta differs between members as a Beta(alpha, beta), mean alpha / (alpha + beta).

At c = 1 it is the shifted-beta-geometric: each member leaves with the same probability at every
term, and the rate at which a cohort renews rises only because those likely to leave have left.
With c free it is the beta-discrete-Weibull: above 1 a member grows more likely to leave with every
term, below 1 less. A term is the unit of time; n counts from 1, the first that is paid.

(1) S(n) = B(alpha, beta + n^c) / B(alpha, beta), share still there after n decisions
(2) r(n) = S(n) / S(n-1), share of the n-th terms that is renewed; at c = 1 it is
    (beta + n - 1) / (alpha + beta + n - 1)
(3) log L = sum over n of [ renewed_n log r(n) + (decided_n - renewed_n) log(1 - r(n)) ]
(4) sum over j >= 1 of S(n+j)/S(n) / (1+d)^(j-1), terms still to come after n renewals, discounted

(3) is the likelihood of all lifetimes, ended or not, sorted by term: whoever is undecided at a term
is in no count from there on, which is what censoring asks for. So counts by term number suffice,
from any mixture of cohorts. (4) is the discounted expected residual lifetime of the paper of 2010.

What belongs here is these two. Curves without a model are in `survival`.

Source: Fader & Hardie (2007), How to Project Customer Retention, Journal of Interactive Marketing
21(1), 76-90; Fader, Hardie, Liu, Davin & Steenburgh (2018), "How to Project Customer Retention"
Revisited: The Role of Duration Dependence, same journal 43, 1-16; Fader & Hardie (2010),
Customer-Base Valuation in a Contractual Setting: The Perils of Ignoring Heterogeneity, Marketing
Science 29(1), 85-93.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, digamma, xlogy

from orchestration.science.errors import DataError, NotConverged
from orchestration.science.histories import refuse_where
from orchestration.science.likelihood import Level, Objective, maximise

Floats = NDArray[np.float64]

SBG = "sbg"
BETA_DISCRETE_WEIBULL = "beta_discrete_weibull"
PARAMETERS = {SBG: ("alpha", "beta"), BETA_DISCRETE_WEIBULL: ("alpha", "beta", "c")}
# Fewer decisions than these leave two parameters to chance.
MINIMUM_DECIDED = 30
MINIMUM_ENDED = 10
# With alpha and beta at thousands, members are all alike and only their ratio is known.
BOUNDS = ((1e-3, 1e4), (1e-3, 1e4), (0.05, 10.0))
STARTS = ((1.0, 1.0, 1.0), (0.5, 3.0, 1.5), (3.0, 10.0, 0.8), (0.3, 0.3, 1.0))
# A discounted sum ends where a term to come is worth less than this share of one now.
NEGLIGIBLE = 1e-14


@dataclass(frozen=True)
class RenewalFit:
    """Fitted parameters, pure numbers all, and the verdict on them; ``c`` is 1 for the sBG."""

    alpha: float
    beta: float
    c: float
    model_name: str
    level: Level
    verdict: str
    log_likelihood: float = np.nan
    n_decided: int = 0
    n_terms: int = 0
    standard_errors: dict[str, float] = field(default_factory=dict)

    @classmethod
    def given(cls, alpha: float, beta: float, c: float = 1.0) -> "RenewalFit":
        """Parameters from a publication or a simulation's truth, not from a fit."""
        for name, value in (("alpha", alpha), ("beta", beta), ("c", c)):
            if not (np.isfinite(value) and value > 0):
                raise DataError(f"{name} must be positive and finite; found {value}")
        model_name = SBG if c == 1 else BETA_DISCRETE_WEIBULL
        return cls(alpha, beta, c, model_name, "given", "given: taken from elsewhere, not fitted")

    @property
    def converged(self) -> bool:
        """Whether predictions may be made from these parameters."""
        return self.level in ("converged", "given")


class RenewalCounts(NamedTuple):
    """Decisions by number of the term; every array has shape (n_terms,)."""

    term_number: Floats
    decided: Floats
    renewed: Floats


def fit(
    term_number: ArrayLike,
    decided: ArrayLike,
    renewed: ArrayLike,
    model_name: str = SBG,
) -> RenewalFit:
    """Fit one of the two models to counts of decisions by maximum likelihood (equation 3).

    Parameters
    ----------
    term_number : array of int >= 1, shape (n,)
        Which of a membership's terms came to its end. Rows may share one; they are added up.
    decided : array of float >= 0, shape (n,)
        Terms of this number that were renewed or not; those still open are left out.
    renewed : array of float, shape (n,)
        Of these, the renewed.
    model_name : {"sbg", "beta_discrete_weibull"}

    Returns
    -------
    RenewalFit
        Always; a fit that may not be used says why in ``level`` and ``verdict``. Where members are
        all alike the sBG has no finite summit, and the verdict names a bound.

    Raises
    ------
    DataError
        If the counts are impossible, or the model has another name.

    Examples
    --------
    >>> fit([1, 2, 3], [1000, 869, 743], [869, 743, 653]).level
    'converged'
    """
    if model_name not in PARAMETERS:
        raise DataError(f"model_name must be one of {', '.join(PARAMETERS)}; found {model_name!r}")
    names = PARAMETERS[model_name]
    counts = _grouped(term_number, decided, renewed)
    n_decided = round(counts.decided.sum())
    n_ended = round(n_decided - counts.renewed.sum())
    n_terms = counts.term_number.size
    if n_decided < MINIMUM_DECIDED or n_ended < MINIMUM_ENDED or n_terms < len(names):
        return RenewalFit(
            np.nan,
            np.nan,
            np.nan,
            model_name,
            "too_little_data",
            f"too little data: {n_decided} decided terms of {n_terms} term numbers, of which "
            f"{n_ended} ended the membership; needed are {MINIMUM_DECIDED} of {len(names)}, and "
            f"{MINIMUM_ENDED}",
            n_decided=n_decided,
            n_terms=n_terms,
        )
    size = len(names)
    found = maximise(
        log_likelihood(counts, model_name),
        names,
        [start[:size] for start in STARTS],
        BOUNDS[:size],
    )
    alpha, beta, c = [*found.parameters.tolist(), 1.0][:3]
    return RenewalFit(
        alpha,
        beta,
        c,
        model_name,
        found.level,
        found.verdict,
        found.log_likelihood,
        n_decided,
        n_terms,
        dict(zip(names, found.standard_errors.tolist(), strict=True)),
    )


def log_likelihood(counts: RenewalCounts, model_name: str = SBG) -> Objective:
    """Prepare the log-likelihood (equation 3) of some counts as a function.

    Returns
    -------
    function
        Takes the logarithms of (alpha, beta) or (alpha, beta, c); returns the log-likelihood
        summed over decisions and its gradient with respect to those logarithms.
    """
    n, decided, renewed = counts
    ended = decided - renewed
    size = len(PARAMETERS[model_name])

    def value_and_gradient(log_parameters: Floats) -> tuple[float, Floats]:
        alpha, beta, c = [*np.exp(log_parameters), 1.0][:3]
        log_rate = _log_survival(alpha, beta, c, n) - _log_survival(alpha, beta, c, n - 1)
        p_end = -np.expm1(log_rate)
        value = renewed @ log_rate + xlogy(ended, p_end).sum()
        slope = _survival_slopes(alpha, beta, c, n) - _survival_slopes(alpha, beta, c, n - 1)
        # d log(1 - r) = -r / (1 - r) d log r
        per_term = renewed - ended * np.exp(log_rate) / np.maximum(p_end, np.finfo(float).tiny)
        gradient = slope @ per_term * np.array([alpha, beta, c])
        return float(value), gradient[:size]

    return value_and_gradient


def _log_survival(alpha: float, beta: float, c: float, n: Floats) -> Floats:
    """Logarithm of (1)."""
    return betaln(alpha, beta + n**c) - betaln(alpha, beta)


def _survival_slopes(alpha: float, beta: float, c: float, n: Floats) -> Floats:
    """Derivatives of the logarithm of (1) by alpha, beta and c, shape (3, n_terms)."""
    power = n**c
    both = digamma(alpha + beta + power)
    by_power = digamma(beta + power) - both
    return np.stack(
        [
            digamma(alpha + beta) - both,
            by_power + digamma(alpha + beta) - digamma(beta),
            by_power * xlogy(power, n),
        ]
    )


def survival(fit: RenewalFit, renewals: ArrayLike) -> Floats:
    """Share of members who stay for at least so many renewals (equation 1).

    Parameters
    ----------
    renewals : array of int >= 0

    Returns
    -------
    array of float in [0, 1]

    Examples
    --------
    >>> high_end = RenewalFit.given(alpha=0.668, beta=3.806)
    >>> survival(high_end, [0, 1, 8]).round(3).tolist()
    [1.0, 0.851, 0.46]
    """
    _refuse_unconverged(fit)
    n = _whole(renewals, "renewals", 0)
    return np.exp(_log_survival(fit.alpha, fit.beta, fit.c, n))


def renewal_rate(fit: RenewalFit, term_number: ArrayLike) -> Floats:
    """Share of the terms of a number that is renewed (equation 2). Not survival: its factor.

    Parameters
    ----------
    term_number : array of int >= 1

    Returns
    -------
    array of float in [0, 1]
    """
    _refuse_unconverged(fit)
    n = _whole(term_number, "term_number", 1)
    return np.exp(
        _log_survival(fit.alpha, fit.beta, fit.c, n)
        - _log_survival(fit.alpha, fit.beta, fit.c, n - 1)
    )


def expected_further_terms(
    fit: RenewalFit,
    renewals_made: ArrayLike,
    discount_rate: float = 0.0,
    n_terms: int | None = None,
) -> Floats:
    """Expected further terms of a member who is about to decide again (equation 4).

    A fee per term and this number give the value of the renewals to come.

    Parameters
    ----------
    renewals_made : array of int >= 0
        Decisions to stay so far; the next one, which is due now, is the first to be counted.
    discount_rate : float >= 0
        Per term; the term that the next decision buys is not discounted.
    n_terms : int >= 1, optional
        Decisions looked ahead; without it all, for which the rate must be above 0.

    Returns
    -------
    array of float >= 0

    Examples
    --------
    >>> high_end = RenewalFit.given(alpha=0.668, beta=3.806)
    >>> round(float(expected_further_terms(high_end, 7, discount_rate=0.1)), 2)
    7.53
    """
    _refuse_unconverged(fit)
    made = _whole(renewals_made, "renewals_made", 0)
    if not (np.isfinite(discount_rate) and discount_rate >= 0):
        raise DataError(f"discount_rate must be finite and >= 0; found {discount_rate}")
    if n_terms is None:
        if discount_rate == 0:
            raise DataError(
                "discount_rate is 0 and n_terms is not given: undiscounted, the terms to come of "
                "members who differ may have no finite sum"
            )
        n_terms = int(np.ceil(-np.log(NEGLIGIBLE) / np.log1p(discount_rate)))
    elif n_terms < 1:
        raise DataError(f"n_terms must be at least 1; found {n_terms}")
    now = _log_survival(fit.alpha, fit.beta, fit.c, made)
    total = np.zeros(made.shape)
    for ahead in range(1, n_terms + 1):
        reached = _log_survival(fit.alpha, fit.beta, fit.c, made + ahead) - now
        total += np.exp(reached - (ahead - 1) * np.log1p(discount_rate))
    return total


def simulate(fit: RenewalFit, terms_observed: ArrayLike, random_state: int) -> RenewalCounts:
    """Draw members from the two assumptions, decision by decision, and count.

    Parameters
    ----------
    terms_observed : array of int >= 0, shape (n_members,)
        Decisions after which each member is lost from sight; who stays that long is censored.
    random_state : int
        The only source of randomness.

    Returns
    -------
    RenewalCounts
    """
    _refuse_unconverged(fit)
    random = np.random.default_rng(random_state)
    observed = np.asarray(terms_observed, dtype=np.int64)
    stays = 1 - random.beta(fit.alpha, fit.beta, observed.size)
    there = np.ones(observed.size, dtype=bool)
    decided, renewed = [], []
    for n in range(1, int(observed.max(initial=0)) + 1):
        deciding = there & (observed >= n)
        p_stay = stays ** (n**fit.c - (n - 1) ** fit.c)
        there = deciding & (random.random(observed.size) < p_stay)
        decided.append(deciding.sum())
        renewed.append(there.sum())
    return RenewalCounts(
        np.arange(1.0, len(decided) + 1), np.array(decided, float), np.array(renewed, float)
    )


def _grouped(term_number: ArrayLike, decided: ArrayLike, renewed: ArrayLike) -> RenewalCounts:
    """Refuse impossible counts; add up the rest by term, leaving out terms without a decision."""
    columns = [np.asarray(column, dtype=float) for column in (term_number, decided, renewed)]
    n, due, kept = columns
    if not n.shape == due.shape == kept.shape or n.ndim != 1:
        raise DataError(
            f"term_number, decided and renewed must be of one length; found {n.size}, {due.size} "
            f"and {kept.size}"
        )
    row = {"term_number": n, "decided": due, "renewed": kept}
    refuse_where(
        ~(np.isfinite(n) & (n >= 1) & (n == np.floor(n))),
        "term_number must be a whole number >= 1 (a trial is no term of its own kind)",
        **row,
    )
    refuse_where(~(np.isfinite(due) & (due >= 0)), "decided must be finite and >= 0", **row)
    refuse_where(~((kept >= 0) & (kept <= due)), "renewed must lie between 0 and decided", **row)
    numbers, position = np.unique(n[due > 0], return_inverse=True)
    return RenewalCounts(
        numbers,
        np.bincount(position, weights=due[due > 0], minlength=numbers.size),
        np.bincount(position, weights=kept[due > 0], minlength=numbers.size),
    )


def _whole(values: ArrayLike, name: str, lowest: int) -> Floats:
    n = np.asarray(values, dtype=float)
    refuse_where(
        ~(np.isfinite(n) & (n >= lowest) & (n == np.floor(n))),
        f"{name} must be a whole number >= {lowest}",
        **{name: n},
    )
    return n


def _refuse_unconverged(fit: RenewalFit) -> None:
    if not fit.converged:
        raise NotConverged(f"{fit.model_name}: {fit.verdict}")

"""How likely the next terms of a membership are renewed, by plan interval and number of the term.

Monthly and annual plans are never pooled, and a trial (term 0) is a conversion and no renewal.
What belongs here is the choice of a model for each of these groups, by a written rule:

1. the shifted-beta-geometric, or the beta-discrete-Weibull where its third parameter earns its
   place (Akaike's criterion lower by 2 or more);
2. where neither converged, or there is too little to fit, one rate for all terms, with Jeffreys'
   prior;
3. where no term was ever decided, no model and no number.

The models themselves are in `sbg`.

Source: as in `sbg`; Akaike (1974), IEEE Transactions on Automatic Control 19(6), 716-723.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestration.science import sbg
from orchestration.science.errors import DataError
from orchestration.science.histories import refuse_where

Floats = NDArray[np.float64]

CONSTANT_RATE = "constant_rate"
TRIAL = "trial"
# A parameter more has to lower Akaike's criterion by this much.
AKAIKE_GAIN = 2.0
JEFFREYS = 0.5


class Decisions(NamedTuple):
    """Counts by group and number of the term; each of shape (n_rows,).

    ``renewed_late`` are those of the renewed that were paid after the day on which they were due.
    """

    billing_period: NDArray[np.object_]
    term_number: Floats
    decided: Floats
    renewed: Floats
    renewed_late: Floats


@dataclass(frozen=True)
class RenewalModel:
    """How terms of one plan interval are renewed.

    Attributes
    ----------
    billing_period : str
    model_name : str
    verdict : str
    n_decided : int
    rate : float
        Of all decided terms; of each, where ``fit`` is None.
    late_rate : float
        Share renewed of the terms that were not paid when they were due.
    fit : RenewalFit or None
    """

    billing_period: str
    model_name: str
    verdict: str
    n_decided: int
    rate: float
    late_rate: float
    fit: sbg.RenewalFit | None = None

    def renewal_rate(self, term_number: Floats) -> Floats:
        """Share of the terms of a number (1 is the first paid one) that is renewed."""
        if self.fit is None:
            return np.full(np.shape(term_number), self.rate)
        return sbg.renewal_rate(self.fit, term_number)


def renewal_models(decisions: Decisions) -> dict[str, RenewalModel]:
    """Choose and fit a model for every plan interval with a decided term.

    Raises
    ------
    DataError
        If counts are impossible.
    """
    row = dict(zip(("decided", "renewed", "renewed_late"), decisions[2:], strict=True))
    counts = np.stack(decisions[2:])
    bad = ~np.isfinite(counts).all(axis=0) | (decisions.renewed > decisions.decided)
    bad |= (decisions.renewed_late > decisions.renewed) | (counts < 0).any(axis=0)
    refuse_where(bad, "0 <= renewed_late <= renewed <= decided must hold", **row)
    found = {}
    for name in sorted(set(decisions.billing_period.tolist())):
        own = decisions.billing_period == name
        chosen = Decisions(*(column[own] for column in decisions))
        if chosen.decided.sum() > 0:
            found[name] = _model(name, chosen)
    return found


def _model(name: str, decisions: Decisions) -> RenewalModel:
    decided, renewed = decisions.decided.sum(), decisions.renewed.sum()
    late = decisions.renewed_late.sum()
    rate = (renewed + JEFFREYS) / (decided + 2 * JEFFREYS)
    late_rate = (late + JEFFREYS) / (late + decided - renewed + 2 * JEFFREYS)
    shared = {
        "billing_period": name,
        "n_decided": round(decided),
        "rate": float(rate),
        "late_rate": float(late_rate),
    }
    if name == TRIAL:
        return RenewalModel(
            model_name=CONSTANT_RATE,
            verdict=f"{round(decided)} trials decided, {rate:.1%} converted",
            **shared,
        )
    if (decisions.term_number < 1).any():
        raise DataError(f"terms of {name} plans are numbered from 1; found 0 or less")
    fits = [
        sbg.fit(decisions.term_number, decisions.decided, decisions.renewed, model_name=model)
        for model in (sbg.SBG, sbg.BETA_DISCRETE_WEIBULL)
    ]
    simple, aged = fits
    if aged.converged and (not simple.converged or _akaike(simple) - _akaike(aged) >= AKAIKE_GAIN):
        chosen = aged
    elif simple.converged:
        chosen = simple
    else:
        return RenewalModel(
            model_name=CONSTANT_RATE,
            verdict=f"one rate of {rate:.1%} for all terms, since {simple.verdict}",
            **shared,
        )
    return RenewalModel(model_name=chosen.model_name, verdict=chosen.verdict, fit=chosen, **shared)


def _akaike(fit: sbg.RenewalFit) -> float:
    return 2 * len(sbg.PARAMETERS[fit.model_name]) - 2 * fit.log_likelihood

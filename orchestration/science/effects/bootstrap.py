"""The standard error of an effect by drawing customers anew, to check the one by influence.

What belongs here is the bootstrap over customers with both regressions fitted again in every draw
(Efron 1979; Field & Welsh 2007, Journal of the Royal Statistical Society B 69(3), for drawing whole
clusters). It costs as many estimates as it has draws, so the night does without it. It is a little
wide: two in three customers are in a draw at all, so its regressions know less than those of the
shop.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from orchestration.science.effects.covariates import design_of
from orchestration.science.effects.estimation import (
    DEFAULTS,
    Settings,
    average_effect,
    deals_of,
)
from orchestration.science.effects.overlap import overlap_of
from orchestration.science.effects.records import Estimand, Sample

DRAWS = 200


def bootstrap_values(
    sample: Sample,
    estimand: Estimand = "att",
    draws: int = DRAWS,
    settings: Settings = DEFAULTS,
) -> NDArray[np.float64]:
    """Adjusted differences of shops with customers drawn anew.

    Parameters
    ----------
    sample : Sample
        For differences in differences, with the change as outcome.
    estimand : {"att", "ate"}
    draws : int > 0
    settings : Settings, optional
        One deal of rows to folds is made per draw.

    Returns
    -------
    array of float, shape (draws,)
        Their standard deviation is the standard error. A draw in which a group is empty is NaN.
    """
    asked = sample.checked()
    assert asked.customer is not None
    size = int(asked.customer.max()) + 1
    order = np.argsort(asked.customer, kind="stable")
    starts = np.searchsorted(asked.customer[order], np.arange(size + 1))
    random = np.random.default_rng(settings.seed)
    once = replace(settings, deals=1)
    values = np.full(draws, np.nan)
    for draw in range(draws):
        chosen = random.integers(0, size, size)
        rows = np.concatenate([order[starts[one] : starts[one + 1]] for one in chosen])
        # A customer drawn twice keeps the number, so that no fold learns from a copy of its own.
        drawn = asked._replace(
            treated=asked.treated[rows],
            outcome=asked.outcome[rows],
            covariates=asked.covariates[rows],
            customer=np.unique(asked.customer[rows], return_inverse=True)[1],
        )
        if drawn.treated.any() and not drawn.treated.all():
            values[draw] = _value(drawn, estimand, once)
    return values


def _value(sample: Sample, estimand: Estimand, settings: Settings) -> float:
    design = design_of(sample.covariates, sample.names)
    deal = deals_of(sample, design, settings)[0]
    _, kept = overlap_of(design, sample.treated, deal.propensity, estimand)
    return average_effect(sample, design, deal, kept, estimand).value

"""How much silence and rhythm each move a closed form.

What belongs here is the split of a closed form's log-odds in two: that a customer may have left,
and how often one who has not left orders. A chance of an order is their product,

    p_order = p_alive x p_order_if_alive,

and its log-odds are split as Shapley has it, each factor's effect being averaged over both orders
in which the two can take the customer's value: p_alive in place of 1, a customer who has certainly
not left, and p_order_if_alive in place of the shop's median. The two add up to the distance from
those. Silence therefore never lowers a risk, and who ordered once and in the model of BG/NBD has
had no occasion to leave is judged by the rhythm alone.

Source: Shapley (1953), A value for n-person games.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

Floats = NDArray[np.float64]

# Named as the features that say it: silence, and rhythm.
HISTORY_FEATURES = ("days_since_last_order", "repeat_order_rate")
# Log-odds of a chance that rounds to 0 or 1 are infinite, and nothing can be added to them.
SMALLEST_PROBABILITY = 1e-6


def bounded_log_odds(p: Floats) -> Floats:
    """Log-odds of probabilities, those next to 0 and 1 taken as `SMALLEST_PROBABILITY` away."""
    return logit(np.clip(p, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))


def history_contributions(
    p_order: Floats, p_alive: Floats, customers: NDArray[np.intp]
) -> tuple[Floats, float]:
    """Split the closed form of some customers against one with the median rhythm, not silent.

    Parameters
    ----------
    p_order, p_alive : arrays of float in [0, 1], shape (n_customers,)
        Of all customers, who say what the median is.
    customers : array of int, shape (n,)

    Returns
    -------
    contributions : array of float, shape (n, 2)
        To the log-odds of an order, in the order of `HISTORY_FEATURES`.
    reference : float
        With it, each row adds up to the customer's log-odds.
    """
    alive = np.clip(p_alive, SMALLEST_PROBABILITY, 1)
    if_alive = np.clip(p_order / alive, 0, 1)
    usual = float(np.median(if_alive))
    alive, if_alive, whole = alive[customers], if_alive[customers], p_order[customers]
    both, neither = bounded_log_odds(whole), float(bounded_log_odds(np.array(usual)))
    silence_alone, rhythm_alone = bounded_log_odds(alive * usual), bounded_log_odds(if_alive)
    silence = (silence_alone - neither + both - rhythm_alone) / 2
    rhythm = (rhythm_alone - neither + both - silence_alone) / 2
    return np.column_stack([silence, rhythm]), neither

"""Intervals of shares and means, for tables and pictures alike."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z_95 = 1.959963984540054


def wilson_interval(
    successes: ArrayLike, trials: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95% interval of a share (Wilson 1927); it stays inside [0, 1] at 0 and at all.

    Examples
    --------
    >>> low, high = wilson_interval([10], [10])
    >>> float(low[0].round(4)), float(high[0].round(4))
    (0.7225, 1.0)
    """
    k, n = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
    share, z2 = k / n, Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n**2))
    return centre - half, centre + half

"""The donors of a public radio station, on whom the BG/BB paper is published: 11,104, six years.

Read from the file inside the installed `lifetimes` package, one row per distinct history.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Donors(NamedTuple):
    """Gifts in the years after the first, number of the last such year, years, donors."""

    frequency: Floats
    recency: Floats
    opportunities: Floats
    count: Floats


@cache
def donors() -> Donors:
    """The cohort that first gave in 1995, to 2001."""
    package = find_spec("lifetimes")
    assert package is not None
    assert package.origin is not None
    path = Path(package.origin).parent / "datasets" / "donations.csv"
    return Donors(*np.loadtxt(path, skiprows=1, delimiter=",", unpack=True))

"""What was worked out from a ledger, kept for as long as that ledger lives.

What belongs here is the memory alone. The court asks every forecaster about the same ledger, and
most of them begin with the same fits to the same histories; a function marked `per_ledger` is run
once for each ledger and set of arguments. Results are shared and must not be changed.
"""

import functools
import weakref
from collections.abc import Callable, Hashable
from typing import Any, Concatenate, ParamSpec, TypeVar

from orchestration.science.ledger import Ledger

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_KNOWN: dict[int, dict[Hashable, Any]] = {}


def per_ledger(
    function: Callable[Concatenate[Ledger, Arguments], Result],
) -> Callable[Concatenate[Ledger, Arguments], Result]:
    """Remember what a function returned for a ledger and its further, hashable arguments.

    A result must not hold the ledger it was asked of, or neither would ever be let go.
    """

    @functools.wraps(function)
    def remembered(ledger: Ledger, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        known = _KNOWN.get(id(ledger))
        if known is None:
            known = _KNOWN[id(ledger)] = {}
            # An id is used again once its object is gone: what was known must go with it.
            weakref.finalize(ledger, _KNOWN.pop, id(ledger), None)
        key = (function, args, tuple(sorted(kwargs.items())))
        if key not in known:
            known[key] = function(ledger, *args, **kwargs)
        return known[key]

    return remembered


@per_ledger
def known_at(ledger: Ledger, day: int) -> Ledger:
    """Cut a ledger at an earlier day, once for all who ask."""
    return ledger.known_at(day)

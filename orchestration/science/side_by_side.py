"""Independent pieces of work at the same time, in the threads of one process.

What belongs here is the pool alone. Threads suffice: operations on large arrays, where the time goes,
let go of the interpreter. Every piece is worked out as it would be alone, so that results do not
depend on how many processors there are. Nothing that trains or asks trees may run here: LightGBM
keeps its number of threads for the whole process, and a night of such threads has crashed in it.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# More at a time would hold more of a large shop in memory than the processors can chew.
MOST_AT_A_TIME = 4


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Apply ``work`` to all items, some at a time; results are in the order of the items.

    Raises
    ------
    Exception
        What the first of the items raised, after those that had begun have ended.

    Examples
    --------
    >>> side_by_side(len, ["one", "three"])
    [3, 5]
    """
    with ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_AT_A_TIME)) as pool:
        return list(pool.map(work, items))

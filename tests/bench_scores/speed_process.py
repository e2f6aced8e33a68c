"""One measured piece of work, in a process of its own so that its peak of memory is its own.

    python -m tests.bench_scores.speed_process WORK FILE

What belongs here is the work and the clock around it; each prints one line of JSON. The file holds
the histories of simulated customers in whole days, as the ledger counts them.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from orchestration.science.purchases import bgnbd

# A shop in which seven in ten order again, seen for up to three years.
TRUTH = bgnbd.BgNbdFit.given(r=0.6, alpha=60.0, a=0.8, b=2.5, time_unit="day")
LONGEST_AGE_DAYS = 1095
CHURN_HORIZON_DAYS, VALUE_HORIZON_DAYS = 90, 365
# Drawn in parts, so that drawing needs no more memory than scoring.
PART_CUSTOMERS = 1_000_000


def draw(file: str, n_customers: int) -> dict[str, Any]:
    """Draw customers from the model's own simulator."""
    columns = {name: np.empty(n_customers, dtype=np.int32) for name in ("x", "t_x", "T")}
    for start in range(0, n_customers, PART_CUSTOMERS):
        part = slice(start, min(start + PART_CUSTOMERS, n_customers))
        age = np.random.default_rng([start, 1]).integers(
            1, LONGEST_AGE_DAYS, part.stop - start, endpoint=True
        )
        drawn = bgnbd.simulate(TRUTH, age, random_state=start)
        columns["x"][part], columns["T"][part] = drawn.frequency, age
        # An order of the first hours belongs to the first day after, as recency above 0 asks.
        columns["t_x"][part] = np.ceil(drawn.recency)
    np.savez(file, **columns)
    return {"orders": int(columns["x"].sum())}


def ours(file: str) -> dict[str, Any]:
    """Fit the project's BG/NBD to one row per customer."""
    x, t_x, T = _histories(file)
    started = time.perf_counter()
    found = bgnbd.fit(x, t_x, T)
    return {"seconds": time.perf_counter() - started, **_said(found)}


def fit_and_score(file: str) -> dict[str, Any]:
    """Fit, and ask of every customer the three numbers that the score tables publish."""
    x, t_x, T = _histories(file)
    started = time.perf_counter()
    found = bgnbd.fit(x, t_x, T)
    fitted = time.perf_counter()
    alive = bgnbd.p_alive(found, x, t_x, T)
    p_order = bgnbd.p_at_least_one(found, CHURN_HORIZON_DAYS, x, t_x, T)
    expected = bgnbd.expected_purchases(found, VALUE_HORIZON_DAYS, x, t_x, T)
    ended = time.perf_counter()
    return {
        "seconds": ended - started,
        "fit_seconds": fitted - started,
        "score_seconds": ended - fitted,
        # Whoever skipped the work could not say these.
        "means": [float(values.mean()) for values in (alive, p_order, expected)],
        **_said(found),
    }


def lifetimes(file: str) -> dict[str, Any]:
    """Fit the independent package to one row per customer, as its documentation does."""
    from lifetimes import BetaGeoFitter

    x, t_x, T = _histories(file)
    package = BetaGeoFitter()
    started = time.perf_counter()
    package.fit(x, t_x, T)
    return {"seconds": time.perf_counter() - started, "parameters": _of(package)}


def lifetimes_grouped(file: str) -> dict[str, Any]:
    """Fit the independent package to distinct histories that pandas counted."""
    import pandas as pd
    from lifetimes import BetaGeoFitter

    rows = pd.DataFrame(dict(zip(("x", "t_x", "T"), _histories(file), strict=True)))
    package = BetaGeoFitter()
    started = time.perf_counter()
    counted = rows.groupby(["x", "t_x", "T"]).size().reset_index(name="n")
    package.fit(counted["x"], counted["t_x"], counted["T"], weights=counted["n"])
    return {"seconds": time.perf_counter() - started, "parameters": _of(package)}


def log_likelihood_by_lifetimes(file: str, parameters: list[float]) -> float:
    """The independent package's own log-likelihood of all customers at given parameters."""
    from lifetimes import BetaGeoFitter

    x, t_x, T = _histories(file)
    mean_loss = BetaGeoFitter._negative_log_likelihood(
        np.log(parameters), x, t_x, T, np.ones(x.size), 0.0
    )
    return float(-mean_loss * x.size)


def _histories(file: str) -> list[np.ndarray]:
    with np.load(file) as columns:
        return [columns[name].astype(float) for name in ("x", "t_x", "T")]


def _said(found: bgnbd.BgNbdFit) -> dict[str, Any]:
    return {
        "parameters": [getattr(found, name) for name in bgnbd.PARAMETERS],
        "verdict": found.verdict,
        "groups": found.n_groups,
    }


def _of(package: Any) -> list[float]:
    return [float(package.params_[name]) for name in bgnbd.PARAMETERS]


def _peak_bytes() -> int:
    """Highest resident memory of this process, and not of the one that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024
    # Where there is no /proc: bytes on macOS. It may count what a forked parent had.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Do the work that is named and print what it took."""
    work, file, *rest = sys.argv[1:]
    if work == "draw":
        result = draw(file, int(rest[0]))
    else:
        result = {
            "ours": ours,
            "fit_and_score": fit_and_score,
            "lifetimes": lifetimes,
            "lifetimes_grouped": lifetimes_grouped,
        }[work](file)
    result["peak_bytes"] = _peak_bytes()
    print(json.dumps(result))


if __name__ == "__main__":
    main()

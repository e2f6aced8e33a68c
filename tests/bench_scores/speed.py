"""How quickly BG/NBD is fitted, beside `lifetimes` on the same customers and in one run, and with how much memory."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestration.settings import PROJECT_DIRECTORY
from tests.bench_scores.speed_process import log_likelihood_by_lifetimes
from tests.bench_scores.tables import Aim, aims, table

COMPARED_CUSTOMERS, SCORED_CUSTOMERS = 1_000_000, 10_000_000
AIM_TIMES_FASTER, AIM_SECONDS, AIM_GIGABYTES = 10.0, 60.0, 4.0
# Relative; both must stand on the same summit, or the time compares nothing.
EQUAL_LOG_LIKELIHOOD = 1e-6


def bench(say: Callable[[str], None], repeat: int = 3) -> str:
    """Measure both packages on one million customers, then a fit and scores of ten million."""
    with tempfile.TemporaryDirectory(prefix="bench_scores_") as folder:
        million, ten_million = (str(Path(folder) / f"{size}.npz") for size in (1, 10))
        say(f"speed: drawing {COMPARED_CUSTOMERS:,} customers")
        _process("draw", million, str(COMPARED_CUSTOMERS))
        quickest: dict[str, dict[str, Any]] = {}
        for turn in range(repeat):
            for work in ("ours", "lifetimes", "lifetimes_grouped"):
                say(f"speed: {work}, turn {turn + 1} of {repeat}")
                found = _process(work, million)
                best = quickest.get(work)
                if best is None or found["seconds"] < best["seconds"]:
                    quickest[work] = found
        say("speed: log-likelihoods by lifetimes")
        height = {
            work: log_likelihood_by_lifetimes(million, found["parameters"])
            for work, found in quickest.items()
        }
        say(f"speed: drawing {SCORED_CUSTOMERS:,} customers")
        _process("draw", ten_million, str(SCORED_CUSTOMERS))
        say(f"speed: fitting and scoring {SCORED_CUSTOMERS:,} customers")
        scored = _process("fit_and_score", ten_million)
    return _report(quickest, height, scored)


def _report(
    quickest: dict[str, dict[str, Any]], height: dict[str, float], scored: dict[str, Any]
) -> str:
    named = {
        "ours": "this project, one row per customer",
        "lifetimes": "lifetimes, one row per customer",
        "lifetimes_grouped": "lifetimes, grouped by pandas first",
    }
    mine = quickest["ours"]["seconds"]
    rows = [
        [
            named[work],
            f"{found['seconds']:.2f}",
            f"{found['seconds'] / mine:.1f}",
            f"{height[work]:,.3f}",
            f"{found['peak_bytes'] / 1e9:.2f}",
        ]
        for work, found in quickest.items()
    ]
    apart = abs(height["ours"] / height["lifetimes"] - 1)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    parts = f"fit {scored['fit_seconds']:.1f} s, scores {scored['score_seconds']:.1f} s"
    return "\n".join(
        [
            table(
                f"BG/NBD on {COMPARED_CUSTOMERS:,} simulated customers (quickest of its turns; "
                "log-likelihood by lifetimes' own function)",
                ("", "seconds", "ratio", "log-likelihood", "peak GB"),
                rows,
            ),
            f"\n  {SCORED_CUSTOMERS:,} customers in {scored['groups']:,} distinct histories: {parts}; "
            f"{scored['verdict']}; {os.cpu_count()} processors, load {load}",
            aims(
                [
                    Aim(
                        "log-likelihoods apart, relative, in millionths",
                        apart * 1e6,
                        at_most=EQUAL_LOG_LIKELIHOOD * 1e6,
                        digits=6,
                    ),
                    Aim(
                        "times faster than lifetimes",
                        quickest["lifetimes"]["seconds"] / mine,
                        at_least=AIM_TIMES_FASTER,
                        digits=1,
                    ),
                    Aim(
                        "times faster than lifetimes on groups",
                        quickest["lifetimes_grouped"]["seconds"] / mine,
                        at_least=AIM_TIMES_FASTER,
                        digits=1,
                    ),
                    Aim(
                        "10 million customers: fit and score",
                        scored["seconds"],
                        at_most=AIM_SECONDS,
                        digits=1,
                        unit=" s",
                    ),
                    Aim(
                        "10 million customers: peak of memory",
                        scored["peak_bytes"] / 1e9,
                        at_most=AIM_GIGABYTES,
                        digits=2,
                        unit=" GB",
                    ),
                ]
            ),
        ]
    )


def _process(work: str, file: str, *rest: str) -> dict[str, Any]:
    finished = subprocess.run(
        [sys.executable, "-m", "tests.bench_scores.speed_process", work, file, *rest],
        cwd=PROJECT_DIRECTORY,
        env=os.environ | {"PYTHONPATH": str(PROJECT_DIRECTORY)},
        capture_output=True,
        text=True,
    )
    if finished.returncode != 0:
        raise SystemExit(f"bench-scores: {work} failed:\n{finished.stderr[-2000:]}")
    return json.loads(finished.stdout.splitlines()[-1])

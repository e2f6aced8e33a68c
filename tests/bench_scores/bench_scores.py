"""What the scores are worth, on data whose outcomes they never saw, and how quickly they are made.

    python -m tests.bench_scores [--only cdnow online-retail sample recommendations speed]

Tables to the output, progress to the error stream. Each figure that was aimed at stands beside what
was reached. Nothing fails here: what must hold is tested; this shows how far it goes.
"""

import argparse
import sys
import time
from collections.abc import Callable

from tests.bench_scores import cdnow, online_retail, recommendations, sample_shop, speed

PARTS: dict[str, Callable[[Callable[[str], None]], str]] = {
    "cdnow": cdnow.bench,
    "online-retail": online_retail.bench,
    "sample": sample_shop.bench,
    "recommendations": recommendations.bench,
    "speed": speed.bench,
}


def main() -> None:
    """Run the parts that are asked for, all of them if none is."""
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"[{time.monotonic() - started:6.1f} s] {text}", file=sys.stderr, flush=True)

    for name in _arguments().only:
        print(PARTS[name](say), flush=True)
    say("done")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench_scores", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="parts to run"
    )
    return parser.parse_args()

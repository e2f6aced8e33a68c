"""The whole night beside one hand-written DuckDB script, on the same Parquet deliveries and in one run.

    python -m tests.bench [--lines 1e6 5e6 20e6] [--repeat 1] [--keep]

For each size a sample shop without defects is made as Parquet; then the script (hand_written.sql) and the night
(`retention refresh`) run one after the other, each in processes of its own, into a folder that is removed at the end.
Their core marts must be equal row for row, or the bench fails: a ratio between different numbers says nothing.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.science.sample_shop import Parameters
from orchestration.settings import PROJECT_DIRECTORY
from tests.bench.comparison import Difference, differences
from tests.bench.measured import CommandFailed, Measured, run

DEFAULT_LINES = (1e6, 5e6, 20e6)
# The goal: the night costs at most so many times the script.
AIM = 3.0


@dataclass(frozen=True)
class Result:
    """One size: the quickest run of each, and the steps of that night."""

    lines: int
    script: Measured
    night: Measured
    steps: tuple[tuple[str, float], ...]
    unequal: tuple[Difference, ...]

    @property
    def ratio(self) -> float:
        return self.night.wall_seconds / self.script.wall_seconds


def main() -> None:
    """Measure every size, print the table, and fail where the numbers differ."""
    arguments = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="retention_bench_", dir=arguments.folder))
    results: list[Result] = []
    try:
        for lines in arguments.lines:
            results.append(measure(int(lines), folder / f"{int(lines)}", arguments.repeat))
            print(table(results), flush=True)
    except CommandFailed as error:
        raise SystemExit(f"bench: {error}") from None
    finally:
        if arguments.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if any(result.unequal for result in results):
        raise SystemExit("bench: the script and the night disagree, so their times compare nothing")


def measure(lines: int, folder: Path, repeat: int) -> Result:
    """Make a shop of about `lines` order lines and let the script and the night at it."""
    folder.mkdir(parents=True)
    inbox, logs = folder / "shop", folder / "logs"
    logs.mkdir()
    _say(f"{lines:,} lines: making the shop")
    options = ["--lines", str(lines), "--out", str(inbox), "--format", "parquet", "--no-defects"]
    run(
        [sys.executable, "-m", "orchestration.science.sample_shop", *options],
        _environment(folder),
        logs / "shop.log",
    )
    scripts: list[Measured] = []
    nights: list[tuple[Measured, tuple[tuple[str, float], ...]]] = []
    unequal: tuple[Difference, ...] = ()
    for turn in range(repeat):
        data = folder / f"data_{turn}"
        _say(f"{lines:,} lines: the script")
        scripts.append(_script(inbox, data, logs))
        _say(f"{lines:,} lines: the night")
        nights.append(_night(inbox, data, logs))
        _say(f"{lines:,} lines: comparing")
        unequal += tuple(differences(data / "script.duckdb", _published(data)))
    night, steps = min(nights, key=lambda pair: pair[0].wall_seconds)
    for one in unequal:
        _say(f"  unequal: {one}")
    return Result(lines, min(scripts, key=lambda one: one.wall_seconds), night, steps, unequal)


def table(results: Sequence[Result]) -> str:
    """The results as text."""
    lines = [
        "",
        f"{'lines':>12} {'script s':>9} {'night s':>9} {'ratio':>6} {'processor s':>16} {'peak MB':>15}",
    ]
    for result in results:
        script, night = result.script, result.night
        lines.append(
            f"{result.lines:>12,} {script.wall_seconds:>9.1f} {night.wall_seconds:>9.1f} "
            f"{result.ratio:>6.1f} "
            f"{script.processor_seconds:>7.1f}/{night.processor_seconds:>8.1f} "
            f"{_megabytes(script):>7}/{_megabytes(night):>7}"
        )
    lines.append("")
    for result in results:
        steps = ", ".join(f"{name} {seconds:.1f}" for name, seconds in result.steps)
        lines.append(f"{result.lines:>12,} s of the night: {steps}")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    equal = "differ" if any(result.unequal for result in results) else "are equal row for row"
    lines.append(
        f"\nscript/night in both last columns; the core marts {equal}; aim: {AIM:g}; "
        f"{os.cpu_count()} processors, load {load}"
    )
    return "\n".join(lines)


def _script(inbox: Path, data: Path, logs: Path) -> Measured:
    data.mkdir()
    return run(
        [
            sys.executable,
            "-m",
            "tests.bench.script_process",
            str(inbox),
            str(data / "script.duckdb"),
            str(_as_of_date()),
        ],
        _environment(data),
        logs / "script.log",
    )


def _night(inbox: Path, data: Path, logs: Path) -> tuple[Measured, tuple[tuple[str, float], ...]]:
    (data / "inbox").symlink_to(inbox, target_is_directory=True)
    measured = run(
        [sys.executable, "-m", "orchestration.cli", "refresh", "--as-of", str(_as_of_date())],
        _environment(data),
        logs / "night.log",
    )
    return measured, _steps(data)


def _steps(data: Path) -> tuple[tuple[str, float], ...]:
    """Seconds of each step of the newest night, in order, from the orchestrator's own record."""
    import dagster as dg

    with dg.DagsterInstance.from_config(str(data / "dagster")) as instance:
        [newest] = instance.get_run_records(limit=1)
        found = instance.get_run_step_stats(newest.dagster_run.run_id)
        steps = sorted(
            (step for step in found if step.start_time and step.end_time),
            key=lambda step: step.start_time,
        )
        return tuple((step.step_key, step.end_time - step.start_time) for step in steps)


def _published(data: Path) -> Path:
    return (data / "serving" / "serving.duckdb").resolve()


def _as_of_date() -> object:
    return Parameters().end_date


def _environment(data: Path) -> dict[str, str]:
    """The environment without the settings of whoever runs this."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RETENTION_")}
    return kept | {
        "RETENTION_DATA": str(data),
        "PYTHONPATH": str(PROJECT_DIRECTORY),
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def _megabytes(measured: Measured) -> str:
    return "?" if measured.peak_megabytes is None else f"{measured.peak_megabytes:,}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--lines", type=float, nargs="+", default=DEFAULT_LINES, help="order lines, such as 1e6 5e6"
    )
    parser.add_argument(
        "--repeat", type=int, default=1, help="runs of each size; the quickest counts"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder with data and logs")
    parser.add_argument("--folder", type=Path, help="where to make the temporary folder")
    return parser.parse_args()

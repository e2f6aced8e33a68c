"""The whole night beside one hand-written DuckDB script, on the same Parquet deliveries and in one run.

    python -m tests.bench [--lines 1e6 5e6 20e6] [--repeat 1] [--shops FOLDER] [--memory 12GB] [--keep]

For each size a sample shop without defects is made as Parquet (or taken from the folder of an earlier bench); then
the script (hand_written.sql) and the night (`retention refresh`) run one after the other, each in processes of its
own, into a folder that is removed at the end. Both have the same limit of memory (RETENTION_MEMORY_LIMIT).
Their core marts must be equal row for row, or the bench fails: a ratio between different numbers says nothing.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestration.science.sample_shop import Parameters
from orchestration.settings import PROJECT_DIRECTORY
from tests.bench.comparison import Difference, differences
from tests.bench.measured import CommandFailed, Measured, run
from tests.bench.night_record import NightRecord, newest_night

DEFAULT_LINES = (1e6, 5e6, 20e6)
MEMORY_LIMIT = "RETENTION_MEMORY_LIMIT"
GENERATOR = "orchestration.science.sample_shop"
# The goal: the night costs at most so many times the script.
AIM = 3.0


@dataclass(frozen=True)
class Result:
    """One size: the quickest run of each, and where the time of that night went."""

    lines: int
    script: Measured
    night: Measured
    record: NightRecord
    unequal: tuple[Difference, ...]

    @property
    def ratio(self) -> float:
        return self.night.wall_seconds / self.script.wall_seconds

    @property
    def ratio_without_scores(self) -> float:
        """The script fits and judges nothing, so this compares like with like."""
        night = self.night.wall_seconds - self.record.steps["scores"]
        return night / self.script.wall_seconds


def main() -> None:
    """Measure every size, print the table, and fail where the numbers differ."""
    arguments = _arguments()
    if arguments.memory:
        os.environ[MEMORY_LIMIT] = arguments.memory
    folder = Path(tempfile.mkdtemp(prefix="retention_bench_", dir=arguments.folder))
    results: list[Result] = []
    try:
        for lines in arguments.lines:
            shop = shop_of(int(lines), arguments.shops or folder / "shops")
            results.append(measure(int(lines), shop, folder / f"{int(lines)}", arguments.repeat))
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


def shop_of(lines: int, shops: Path) -> Path:
    """The folder of a shop of about `lines` order lines, made unless it is there."""
    shop = shops.resolve() / f"{lines}"
    if not shop.exists():
        _say(f"{lines:,} lines: making the shop")
        unfinished = shop.with_name(f".{lines}.part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        options = ["--lines", str(lines), "--format", "parquet", "--no-defects"]
        run(
            [sys.executable, "-m", GENERATOR, *options, "--out", str(unfinished)],
            _environment(unfinished),
            shops / f"{lines}.log",
        )
        unfinished.rename(shop)
    return shop


def measure(lines: int, shop: Path, folder: Path, repeat: int) -> Result:
    """Let the script and the night at a shop of about `lines` order lines."""
    logs = folder / "logs"
    logs.mkdir(parents=True)
    scripts: list[Measured] = []
    nights: list[tuple[Measured, NightRecord]] = []
    unequal: tuple[Difference, ...] = ()
    for turn in range(repeat):
        data = folder / f"data_{turn}"
        _say(f"{lines:,} lines: the script")
        scripts.append(_script(shop, data, logs))
        _say(f"{lines:,} lines: the night")
        nights.append(_night(shop, data, logs))
        _say(f"{lines:,} lines: comparing")
        unequal += tuple(differences(data / "script.duckdb", _published(data)))
    night, record = min(nights, key=lambda pair: pair[0].wall_seconds)
    for one in unequal:
        _say(f"  unequal: {one}")
    return Result(lines, min(scripts, key=lambda one: one.wall_seconds), night, record, unequal)


def table(results: Sequence[Result]) -> str:
    """The results as text."""
    lines = [
        "",
        f"{'lines':>12} {'script s':>9} {'night s':>9} {'ratio':>6} {'unscored':>8} "
        f"{'processor s':>16} {'peak MB':>15}",
    ]
    for result in results:
        script, night = result.script, result.night
        lines.append(
            f"{result.lines:>12,} {script.wall_seconds:>9.1f} {night.wall_seconds:>9.1f} "
            f"{result.ratio:>6.1f} {result.ratio_without_scores:>8.1f} "
            f"{script.processor_seconds:>7.1f}/{night.processor_seconds:>8.1f} "
            f"{_megabytes(script):>7}/{_megabytes(night):>7}"
        )
    lines.append("")
    for result in results:
        record = result.record
        # What is not in the run: starting Python and Dagster, and the first parse of the dbt project.
        steps = {"start": result.night.wall_seconds - record.run, **record.steps}
        lines.append(f"{result.lines:>12,} s of the night: {_listed(steps)}")
        lines.append(f"{'':>12} dbt, two at a time:  {_listed(record.nodes)}")
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    equal = "differ" if any(result.unequal for result in results) else "are equal row for row"
    lines.append(
        f"\nscript/night in both last columns; unscored: without the step that fits and judges scores; "
        f"the core marts {equal}; aim: {AIM:g}; "
        f"{os.cpu_count()} processors, load {load}"
    )
    return "\n".join(lines)


def _script(shop: Path, data: Path, logs: Path) -> Measured:
    data.mkdir()
    return run(
        [
            sys.executable,
            "-m",
            "tests.bench.script_process",
            str(shop),
            str(data / "script.duckdb"),
            str(_as_of_date()),
        ],
        _environment(data),
        logs / "script.log",
    )


def _night(shop: Path, data: Path, logs: Path) -> tuple[Measured, NightRecord]:
    (data / "inbox").symlink_to(shop, target_is_directory=True)
    measured = run(
        [sys.executable, "-m", "orchestration.cli", "refresh", "--as-of", str(_as_of_date())],
        _environment(data),
        logs / "night.log",
    )
    return measured, newest_night(data / "dagster")


def _published(data: Path) -> Path:
    return (data / "serving" / "serving.duckdb").resolve()


def _as_of_date() -> object:
    return Parameters().end_date


def _environment(data: Path) -> dict[str, str]:
    """The environment without the settings of whoever runs this, but for the limit of memory."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == MEMORY_LIMIT or not name.startswith("RETENTION_")
    }
    return kept | {
        "RETENTION_DATA": str(data),
        # The script knows persons by their e-mail alone. Among millions of drawn people some share name and telephone.
        "RETENTION_IDENTITY_PHONE_MAX_ACCOUNTS": "0",
        "PYTHONPATH": str(PROJECT_DIRECTORY),
        "DO_NOT_TRACK": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


def _listed(seconds: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())


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
    parser.add_argument(
        "--shops", type=Path, help="where shops are kept from one bench to the next"
    )
    parser.add_argument(
        "--memory", help="what the engine may take, script and night alike, such as 12GB or 60%%"
    )
    parser.add_argument("--keep", action="store_true", help="keep the folder with data and logs")
    parser.add_argument("--folder", type=Path, help="where to make the temporary folder")
    return parser.parse_args()

"""`python -m orchestration.science.sample_shop`: write a sample shop into a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from orchestration.science.errors import DataError
from orchestration.science.sample_shop import Parameters, customers_for_lines, make


def _arguments() -> argparse.Namespace:
    defaults = Parameters()
    parser = argparse.ArgumentParser(prog="sample_shop", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--customers", type=int, default=defaults.customers)
    size.add_argument("--lines", type=int, help="about so many order lines, instead of customers")
    parser.add_argument("--years", type=int, default=defaults.years)
    parser.add_argument("--seed", type=int, default=defaults.seed, help="random state")
    parser.add_argument("--out", type=Path, required=True, help="folder, made if missing")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    parser.add_argument(
        "--defects",
        action=argparse.BooleanOptionalAction,
        help="plant defects and deliver in several files (default: in csv, not in parquet)",
    )
    parser.add_argument(
        "--further-sources",
        action=argparse.BooleanOptionalAction,
        help="deliver the sources beside orders, returns and memberships too (default: where defects are)",
    )
    return parser.parse_args()


def main() -> None:
    """Write the shop and say what was written."""
    arguments = _arguments()
    try:
        customers = arguments.customers
        if arguments.lines is not None:
            customers = customers_for_lines(arguments.lines, arguments.years)
        defects = arguments.format == "csv" if arguments.defects is None else arguments.defects
        parameters = Parameters(
            customers=customers,
            years=arguments.years,
            seed=arguments.seed,
            defects=defects,
            further_sources=arguments.further_sources,
        )
        paths = make(parameters, arguments.out, arguments.format)
    except DataError as error:
        raise SystemExit(f"sample_shop: {error}") from None
    size = sum(path.stat().st_size for path in paths)
    print(f"{len(paths)} files, {size / 1e6:.1f} MB, in {arguments.out}")


if __name__ == "__main__":
    main()

"""Writing a sample shop into a folder: its files, and beside them its truth."""

from __future__ import annotations

import csv
import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from orchestration.science.errors import DataError
from orchestration.science.sample_shop.delivering.files import PLAIN as PLAIN_STYLE
from orchestration.science.sample_shop.delivering.files import as_text, write_file
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.shop import Shop, generate
from orchestration.science.sample_shop.simulation import simulate
from orchestration.science.sample_shop.tables import CHUNK_TABLES, SHARED_TABLES
from orchestration.science.sample_shop.truth import Truth, chunk_truth, joined_truth

FORMATS = ("csv", "parquet")


def write(shop: Shop, directory: Path, format: str = "csv") -> list[Path]:
    """Write a shop's delivery files and, in `truth/`, its truth.

    Parameters
    ----------
    shop : Shop
        With defects, each of its deliveries is written in its own style; without, each table is
        one file.
    directory : Path
        Made if it is missing. Files of the same names are replaced, `truth/` is made anew.
    format : {"csv", "parquet"}

    Returns
    -------
    list of Path
        The delivered files, in the order of the deliveries.
    """
    _check_format(format)
    if shop.files and format != "csv":
        raise DataError("defects are a matter of text files; write csv, or make a shop without")
    directory.mkdir(parents=True, exist_ok=True)
    paths = [write_file(file, directory) for file in shop.files]
    for name, table in {} if shop.files else shop.tables.items():
        path = directory / f"{name}.{format}"
        if format == "parquet":
            pq.write_table(table, path, compression="zstd")
        else:
            pa.csv.write_csv(table, path)
        paths.append(path)
    _write_truth(shop.truth, directory / "truth", format)
    return paths


def write_large(parameters: Parameters, directory: Path) -> list[Path]:
    """Make a shop without defects and write it as Parquet, one chunk of customers after the other.

    Memory is that of one chunk, so a shop of many million lines fits on a small machine.
    """
    if parameters.defects:
        raise DataError("a shop that is streamed has no defects; set defects=False")
    if parameters.delivers_further_sources:
        raise DataError("a shop that is streamed has the first twelve sources only")
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(parameters.seed)
    frame, chunks = simulate(rng, parameters)
    end = frame.end_moment
    paths = [directory / f"{name}.parquet" for name in (*SHARED_TABLES, *CHUNK_TABLES)]
    for name, make in SHARED_TABLES.items():
        pq.write_table(make(frame, end), directory / f"{name}.parquet", compression="zstd")
    truths = []
    with ExitStack() as stack:
        writers: dict[str, pq.ParquetWriter] = {}
        for facts in chunks:
            for name, make_chunk in CHUNK_TABLES.items():
                table = make_chunk(facts, frame, end)
                if name not in writers:
                    path = directory / f"{name}.parquet"
                    writer = pq.ParquetWriter(path, table.schema, compression="zstd")
                    writers[name] = stack.enter_context(writer)
                writers[name].write_table(table)
            truths.append(chunk_truth(frame, facts))
    _write_truth(joined_truth(frame, truths), directory / "truth", "parquet")
    return paths


def make(parameters: Parameters, directory: Path, format: str = "csv") -> list[Path]:
    """Generate and write a shop of any size; a large one is streamed."""
    _check_format(format)
    if parameters.customers <= parameters.chunk_customers:
        return write(generate(parameters), directory, format)
    parameters.check_one_chunk_is_enough()
    if format != "parquet":
        raise DataError(
            f"{parameters.customers:,} customers are written as Parquet only; choose that format"
        )
    return write_large(parameters, directory)


def _check_format(format: str) -> None:
    if format not in FORMATS:
        raise DataError(f"a shop is written as {' or '.join(FORMATS)}, not as {format!r}")


def _write_truth(truth: Truth, directory: Path, format: str) -> None:
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir()
    text = json.dumps(truth.summary, indent=1, ensure_ascii=False)
    (directory / "truth.json").write_text(text + "\n", encoding="utf-8")
    for name, table in truth.tables.items():
        if format == "parquet":
            pq.write_table(table, directory / f"{name}.parquet", compression="zstd")
        else:
            _write_truth_table(table, directory / f"{name}.csv")


def _write_truth_table(table: pa.Table, path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.column_names)
        columns = [table.column(name).to_pylist() for name in table.column_names]
        for row in zip(*columns, strict=True):
            writer.writerow([as_text(value, PLAIN_STYLE) for value in row])

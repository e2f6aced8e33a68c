"""The sample shop as a whole: made in memory, or streamed to Parquet when it is large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from orchestration.science.sample_shop.delivering.defects import PlantedDefect, plant_defects
from orchestration.science.sample_shop.delivering.files import DeliveryFile, split_into_deliveries
from orchestration.science.sample_shop.delivering.further_defects import plant_further_defects
from orchestration.science.sample_shop.effects import (
    effects_summary,
    exposures_table,
    true_effects,
)
from orchestration.science.sample_shop.further import all_known_tables, further_truth
from orchestration.science.sample_shop.parameters import Parameters
from orchestration.science.sample_shop.simulation import Facts, simulate
from orchestration.science.sample_shop.streams import stream
from orchestration.science.sample_shop.truth import Truth, tell_truth


@dataclass(frozen=True)
class Shop:
    """A shop in memory.

    Attributes
    ----------
    tables : dict of pyarrow.Table
        The first twelve tables of the source contract and, where they are delivered, the further
        ones; clean and typed, as known after the last day.
    truth : Truth
        The hidden parameters, what was counted, and one row per person, account and renewal.
    files : list of DeliveryFile
        What the shop drops into the inbox, defects included; empty if there are to be none, and
        then the tables themselves are delivered, one file each.
    defects : list of PlantedDefect
        What was planted in which file, and what must become of it.
    """

    parameters: Parameters
    tables: dict[str, pa.Table]
    truth: Truth
    files: list[DeliveryFile]
    defects: list[PlantedDefect]


def generate(parameters: Parameters) -> Shop:
    """Make a shop in memory; the same parameters give the same shop.

    Parameters
    ----------
    parameters : Parameters
        Size, dates, random state, hidden habits, and whether defects are planted.

    Raises
    ------
    DataError
        If defects or further sources are asked for in a shop of more than one chunk: both are
        meant for small shops.
    """
    parameters.check_one_chunk_is_enough()
    rng = np.random.default_rng(parameters.seed)
    frame, chunks = simulate(rng, parameters)
    facts: list[Facts] = list(chunks)
    tables = all_known_tables(frame, facts, frame.end_moment)
    truth = tell_truth(frame, facts).with_tables(further_truth(frame, facts))
    files: list[DeliveryFile] = []
    defects: list[PlantedDefect] = []
    if parameters.defects:
        effects = true_effects(frame, facts[0])
        truth = truth.with_effects(
            effects_summary(effects, parameters), exposures_table(effects, facts[0])
        )
        files = split_into_deliveries(frame, facts)
        defects = plant_defects(rng, files, tables)
        own = stream(parameters.seed, "defects of further sources")
        defects += plant_further_defects(own, files, tables)
        truth = truth.with_deliveries(files, defects)
    return Shop(parameters, tables, truth, files, defects)

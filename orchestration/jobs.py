"""The jobs. There is one: the whole night, in one process, because each start of a process costs seconds."""

import dagster as dg

nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="From deliveries to the published copy: landing, foundation, scores, marts, publish.",
)

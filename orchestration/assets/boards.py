"""The nightly pages, after the copy is published. What a board is stands in charts/, how it is drawn in boards/."""

from contextlib import closing

import dagster as dg

from orchestration.assets.shared import FRESHNESS
from orchestration.boards.reading import Night
from orchestration.boards.site import pages
from orchestration.boards.specification import load_boards
from orchestration.resources.boards import CopyReader
from orchestration.resources.places import boards_of
from orchestration.resources.progress import Progress
from orchestration.resources.serving import ServingFolder
from orchestration.settings import PROJECT_DIRECTORY, Settings

BOARDS = dg.AssetKey(["serving", "boards"])
CHARTS_DIRECTORY = PROJECT_DIRECTORY / "charts"
STYLE_FILE = CHARTS_DIRECTORY / "style.css"


def boards_asset(owner: str) -> dg.AssetsDefinition:
    """The boards of the night as HTML files that need no server."""

    @dg.multi_asset(
        name="boards",
        specs=[
            dg.AssetSpec(
                BOARDS,
                deps=[dg.AssetKey(["serving", "publication"])],
                group_name="serving",
                owners=[owner],
                kinds={"html"},
                freshness_policy=FRESHNESS,
                description=(
                    "Every board in charts/ as self-contained HTML, drawn from the published copy; "
                    "open serving/boards/current/index.html."
                ),
            )
        ],
    )
    def boards(
        settings: dg.ResourceParam[Settings],
        serving: dg.ResourceParam[ServingFolder],
        progress: dg.ResourceParam[Progress],
    ) -> dg.MaterializeResult:
        specifications = load_boards(CHARTS_DIRECTORY)
        folder = boards_of(settings)
        with (
            progress.step("boards") as step,
            closing(CopyReader(serving)) as reader,
            reader.opened() as copy,
        ):
            night = Night(copy)
            style = STYLE_FILE.read_text(encoding="utf-8")
            sizes = folder.write(copy.label, pages(specifications, night, style))
            step.result(f"{len(sizes)} pages of {len(specifications)} boards, {_megabytes(sizes)}")
            slowest = sorted(night.timings, key=lambda timing: -timing[1])[:5]
        return dg.MaterializeResult(
            asset_key=BOARDS,
            metadata={
                "pages": len(sizes),
                "boards": len(specifications),
                "size": _megabytes(sizes),
                "as_of_date": night.as_of_date.isoformat(),
                "first page": dg.MetadataValue.path(folder.pointer / "index.html"),
                "slowest queries": dg.MetadataValue.md(
                    "| chart | milliseconds |\n|---|--:|\n"
                    + "\n".join(f"| {name} | {spent:.0f} |" for name, spent in slowest)
                ),
            },
        )

    return boards


def _megabytes(sizes: dict[str, int]) -> str:
    return f"{sum(sizes.values()) / 1e6:.1f} MB"

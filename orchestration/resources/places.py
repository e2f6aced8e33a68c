"""The resources of one data folder, made from its settings. Assembly only."""

from collections.abc import Callable

from orchestration.resources.boards import BoardsFolder
from orchestration.resources.landing import Landing
from orchestration.resources.lock import WriterLock
from orchestration.resources.outbox import Outbox
from orchestration.resources.serving import ServingFolder
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import Settings


def landing_of(settings: Settings) -> Landing:
    return Landing(
        settings.data_directory,
        timezone=settings.source_timezone,
        default_date_order=settings.source_date_order,
    )


def warehouse_of(settings: Settings, on_wait: Callable[[str], None] | None = None) -> Warehouse:
    return Warehouse(settings.warehouse_file, WriterLock(settings.lock_file, on_wait=on_wait))


def serving_of(settings: Settings) -> ServingFolder:
    return ServingFolder(settings.serving_directory, keep=settings.keep_publications)


def boards_of(settings: Settings) -> BoardsFolder:
    return BoardsFolder(settings.serving_directory / "boards", keep=settings.keep_publications)


def outbox_of(settings: Settings) -> Outbox:
    return Outbox(settings.outbox_directory)

"""Files already in the contract's columns and named after its tables: orders.csv, ..."""

from pathlib import Path

from orchestration.resources.landing import Delivery, Landing


class ContractFiles:
    """The source contract itself; the same path that files in the inbox take."""

    name = "contract"
    description = "a file named after a table of the source contract, with its columns"

    def deliver(self, landing: Landing, path: Path) -> list[Delivery]:
        return [landing.deliver(path)]

"""Connectors: each maps one system's export onto the source contract, and does nothing else."""

import difflib
from pathlib import Path
from typing import Protocol

from orchestration.connectors.contract_files import ContractFiles
from orchestration.connectors.online_retail_ii import OnlineRetail
from orchestration.resources.landing import Delivery, Landing


class Connector(Protocol):
    """What `retention load <name> FILE` runs."""

    name: str
    description: str

    def deliver(self, landing: Landing, path: Path) -> list[Delivery]:
        """Put the file into landing; raises DeliveryRefused."""
        ...


CONNECTORS: dict[str, Connector] = {
    connector.name: connector for connector in (ContractFiles(), OnlineRetail())
}


def connector_named(name: str) -> Connector:
    """The connector of that name; an unknown one raises ValueError that lists all."""
    if name in CONNECTORS:
        return CONNECTORS[name]
    close = difflib.get_close_matches(name, CONNECTORS, n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    raise ValueError(
        f"{name} is not a connector. {hint}There are: "
        + "; ".join(f"{known.name} ({known.description})" for known in CONNECTORS.values())
    )

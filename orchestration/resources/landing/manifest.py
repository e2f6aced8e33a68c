"""What is known about a batch, and how it is kept as JSON beside the batch. No engine here."""

import json
import os
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, order=True)
class StoredColumn:
    """Where a column of the contract stands inside a batch's Parquet file, and with what type."""

    name: str
    data_type: str = "VARCHAR"


@dataclass(frozen=True)
class Manifest:
    """The facts of one immutable batch; `landing.<table>` takes its constant columns from here."""

    batch_id: str
    table: str
    file: str
    sha256: str
    bytes: int
    modified_ns: int
    rows: int
    problem_rows: int
    columns: dict[str, StoredColumn]
    loaded_at: datetime
    connector: str = "contract"
    ignored_columns: tuple[str, ...] = ()
    missing_columns: tuple[str, ...] = ()
    format: str = "csv"
    encoding: str | None = None
    delimiter: str | None = None
    date_order: str = "ymd"
    date_order_found: str = "iso"
    timezone: str = "UTC"
    lines_read_as_cp1252: int = 0
    notes: tuple[str, ...] = field(default=())

    def write(self, path: Path) -> None:
        """Write atomically: a batch counts from the moment its manifest is there."""
        content = asdict(self) | {"loaded_at": self.loaded_at.isoformat()}
        temporary = path.with_name(f".{path.name}.tmp")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(content, file, indent=2, ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        content = json.loads(path.read_text(encoding="utf-8"))
        content["columns"] = {
            name: StoredColumn(**stored) for name, stored in content["columns"].items()
        }
        content["loaded_at"] = datetime.fromisoformat(content["loaded_at"])
        for name in ("ignored_columns", "missing_columns", "notes"):
            content[name] = tuple(content[name])
        return cls(**content)

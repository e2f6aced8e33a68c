"""dbt's manifest: made when it is missing or older than the project, and what other modules ask of it.

Running models is not done here; that is `assets/dbt.py`.
"""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.resources.lock import WriterLock
from orchestration.settings import PROJECT_DIRECTORY, Settings

# What a manifest is made from, relative to the project.
_PROJECT_FILES = ("dbt_project.yml", "profiles.yml", "selectors.yml")
_PROJECT_FOLDERS = ("models", "macros", "seeds/reference", "snapshots", "tests/dbt")
# Where a manifest in memory carries the state of the project that it was made from.
_STATE = "retention_project_state"

# Names of columns that hold a person in the clear, whatever a model's YAML says about them.
PERSONAL_NAMES = frozenset(
    {
        "address",
        "birth_date",
        "birth_day",
        "birth_month",
        "email",
        "first_name",
        "full_name",
        "ip_address",
        "last_name",
        "phone",
        "postal_code",
        "street",
        "zip",
    }
)


class ManifestError(RuntimeError):
    """dbt could not read the project."""


class PublicationRefusedError(RuntimeError):
    """A public model would carry personal data out."""


@dataclass(frozen=True)
class PublicTable:
    """A mart that may leave the warehouse, with the columns that may leave with it."""

    name: str
    columns: tuple[str, ...]
    description: str = ""
    column_descriptions: tuple[tuple[str, str], ...] = ()
    kept_back: int = 0


def ensure_manifest(settings: Settings) -> dict[str, Any]:
    """The current manifest; parses the project first when it is not what the manifest was made from."""
    file = settings.target_directory / "manifest.json"
    made_from = settings.target_directory / "manifest.made_from"
    with WriterLock(settings.data_directory / "dbt_parse.lock").hold("dbt parse"):
        state = project_state()
        if not (file.exists() and made_from.exists() and made_from.read_text() == state):
            _parse(settings)
            made_from.write_text(state)
        manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["metadata"][_STATE] = state
    return manifest


def is_changed_since(manifest: Mapping[str, Any]) -> bool:
    """True where the project is no longer the one that `ensure_manifest` gave this manifest for."""
    return manifest["metadata"][_STATE] != project_state()


def project_state(project_directory: Path = PROJECT_DIRECTORY) -> str:
    """What dbt reads, in one text: every file's name, size and time of change. A clock that jumps does no harm."""
    files = [project_directory / name for name in _PROJECT_FILES]
    for name in _PROJECT_FOLDERS:
        files += [path for path in (project_directory / name).rglob("*") if path.is_file()]
    lines = [
        f"{path.relative_to(project_directory)} {path.stat().st_size} {path.stat().st_mtime_ns}"
        for path in sorted(files)
        if path.exists()
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def public_tables(manifest: Mapping[str, Any]) -> list[PublicTable]:
    """The allow-list: public models under models/marts without their personal columns, by name."""
    return sorted(
        (
            _public_table(node)
            for node in manifest["nodes"].values()
            if node["resource_type"] == "model"
            and node["original_file_path"].startswith("models/marts/")
            and node["config"].get("access", node.get("access")) == "public"
        ),
        key=lambda table: table.name,
    )


def _public_table(node: Mapping[str, Any]) -> PublicTable:
    kept = {
        name: column
        for name, column in node["columns"].items()
        if not _meta(column).get("personal", False)
    }
    clear = sorted(name for name in kept if name.lower() in PERSONAL_NAMES)
    if clear:
        raise PublicationRefusedError(
            f"{node['name']} is public and has the column {clear[0]}, which names a person. Remove "
            "it from the model, or mark it with `config: {meta: {personal: true}}` in "
            f"{node.get('patch_path', node['original_file_path']).split('://')[-1]} to keep it back."
        )
    if not kept:
        raise PublicationRefusedError(
            f"{node['name']} is public but names no column in YAML, so nothing of it may be published"
        )
    return PublicTable(
        name=node["alias"],
        columns=tuple(kept),
        description=node.get("description", "").strip(),
        column_descriptions=tuple(
            (name, column["description"].strip())
            for name, column in kept.items()
            if column.get("description")
        ),
        kept_back=len(node["columns"]) - len(kept),
    )


def _meta(column: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**column.get("meta", {}), **column.get("config", {}).get("meta", {})}


def _parse(settings: Settings) -> None:
    variables = night_variables(settings, settings.business_constant("as_of_date"))
    finished = subprocess.run(
        [dbt_executable(), "parse", "--vars", json.dumps(variables)],
        cwd=PROJECT_DIRECTORY,
        env={**os.environ, **settings.environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise ManifestError(
            "dbt cannot read the project; its own words:\n\n"
            + "\n".join((finished.stdout + finished.stderr).splitlines()[-30:])
        )


def night_variables(settings: Settings, as_of_date: object) -> dict[str, object]:
    """The `--vars` of every dbt start; the same ones each time, because other ones cost a full parse."""
    return {**settings.dbt_vars(), "as_of_date": str(as_of_date)}


def dbt_executable() -> str:
    """The dbt that belongs to this Python, whatever else is on the PATH."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else "dbt"

"""Messages that leave the warehouse: files in the outbox. How they are sent further is not decided here."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outbox:
    """A folder of messages, one file each; a message under a name that is there already is not written twice."""

    directory: Path

    def write(self, name: str, subject: str, body: str) -> Path:
        """Write a message once and return its file."""
        self.directory.mkdir(parents=True, exist_ok=True)
        safe_name = re.sub(r"[^A-Za-z0-9_.-]+", "_", name)
        file = self.directory / f"{safe_name}.md"
        if not file.exists():
            # Written whole or not at all: whoever watches the folder must not send half a message.
            part = file.with_suffix(".md.part")
            part.write_text(f"# {subject}\n\n{body.rstrip()}\n", encoding="utf-8")
            part.replace(file)
        return file

    def messages(self) -> list[Path]:
        """The messages, oldest first."""
        return sorted(self.directory.glob("*.md"), key=lambda file: file.stat().st_mtime)

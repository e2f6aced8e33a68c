"""Text files as bytes and lines: packing, encoding, line ends, delimiter. No engine here."""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from orchestration.resources.landing.columns import DeliveryRefused, Expected, match

DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 8 * 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
# First bytes of files that are not text, whatever their name says.
_BINARY_MAGIC = {
    b"PK\x03\x04": "an Excel workbook or zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"%PDF": "a PDF document",
    b"SQLite format 3": "an SQLite database",
    b"\x28\xb5\x2f\xfd": "packed with zstandard",
    b"BZh": "packed with bzip2",
    b"7z\xbc\xaf": "packed with 7-Zip",
}
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


@dataclass(frozen=True)
class TextFile:
    """What one pass over a text file's bytes tells."""

    path: Path
    is_packed: bool
    encoding: str
    line_count: int
    is_clean_utf8: bool
    has_one_line_end: bool


@contextmanager
def opened(path: Path, is_packed: bool) -> Iterator[IO[bytes]]:
    """The file's unpacked bytes; a damaged archive is refused."""
    try:
        with gzip.open(path) if is_packed else path.open("rb") as stream:
            yield stream
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DeliveryRefused(
            path, f"cannot be unpacked ({error})", "Export or copy it again"
        ) from error


def examine(path: Path) -> TextFile:
    """Find packing, encoding and number of lines; refuse what is not text."""
    with path.open("rb") as stream:
        is_packed = stream.read(2) == _GZIP_MAGIC
    with opened(path, is_packed) as stream:
        chunk = stream.read(_CHUNK)
        encoding = _encoding_of(path, chunk)
        decoder = codecs.getincrementaldecoder("utf-8")()
        is_clean = encoding in ("utf-8", "utf-8-sig")
        line_feeds = carriage_returns = both = 0
        last = b""
        while chunk:
            line_feeds += chunk.count(b"\n")
            carriage_returns += chunk.count(b"\r")
            both += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
            last = chunk[-1:]
            if is_clean:
                is_clean = _decodes(decoder, chunk)
            chunk = stream.read(_CHUNK)
        is_clean = is_clean and _decodes(decoder, b"", final=True)
    return TextFile(
        path=path,
        is_packed=is_packed,
        encoding=encoding,
        line_count=line_feeds + (last not in (b"", b"\n")),
        is_clean_utf8=is_clean,
        has_one_line_end=carriage_returns == both and both in (0, line_feeds),
    )


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _encoding_of(path: Path, start: bytes) -> str:
    for magic, kind in _BINARY_MAGIC.items():
        if start.startswith(magic):
            raise DeliveryRefused(
                path, f"is not a text file but {kind}", "Export it as CSV, gzipped CSV or Parquet"
            )
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return encoding
    sample = start[:65536]
    # Latin text in UTF-16 has a zero byte in every character, always on the same side.
    if sample[1::2].count(0) > 0.4 * len(sample) / 2 and sample[::2].count(0) == 0:
        return "utf-16-le"
    if sample[::2].count(0) > 0.4 * len(sample) / 2 and sample[1::2].count(0) == 0:
        return "utf-16-be"
    if sample.count(0) > len(sample) / 100:
        raise DeliveryRefused(
            path, "is not a text file (it holds zero bytes)", "Export it as CSV or Parquet"
        )
    return "utf-8"


@dataclass
class LineReader:
    """The lines of a text file as text, each with its own line end; counts what it had to mend."""

    file: TextFile
    lines_read_as_cp1252: int = 0
    utf8_lines_beyond_ascii: int = 0

    def __iter__(self) -> Iterator[str]:
        with opened(self.file.path, self.file.is_packed) as stream:
            is_utf16 = self.file.encoding.startswith("utf-16")
            lines = self._utf16(stream) if is_utf16 else self._utf8_or_cp1252(stream)
            # A file that ends its lines with a carriage return alone arrives as a single line.
            if self.file.line_count == 1:
                lines = (part for line in lines for part in line.splitlines(keepends=True))
            yield from lines

    def _utf16(self, stream: IO[bytes]) -> Iterator[str]:
        text = io.TextIOWrapper(stream, encoding=self.file.encoding, errors="replace", newline="\n")
        for number, line in enumerate(text):
            yield line.removeprefix("\ufeff") if number == 0 else line

    def _utf8_or_cp1252(self, stream: IO[bytes]) -> Iterator[str]:
        for number, raw in enumerate(stream):
            if number == 0:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            if raw.isascii():
                yield raw.decode("ascii")
                continue
            try:
                line = raw.decode("utf-8")
                self.utf8_lines_beyond_ascii += 1
            except UnicodeDecodeError:
                line = _as_cp1252(raw)
                self.lines_read_as_cp1252 += 1
            yield line

    @property
    def encoding(self) -> str:
        """The encoding of the file as a whole, known once all lines have been read."""
        if self.lines_read_as_cp1252 and not self.utf8_lines_beyond_ascii:
            return "cp1252"
        return self.file.encoding


def _as_cp1252(raw: bytes) -> str:
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        # Five bytes mean nothing in cp1252; latin-1 has a character for every byte.
        return raw.decode("latin-1")


class RecordPattern:
    """How one record of a delimited file is written: how many values, and how they are quoted."""

    def __init__(self, delimiter: str, column_count: int) -> None:
        self.delimiter = delimiter
        self.column_count = column_count
        d = re.escape(delimiter)
        quoted = r' *"((?:[^"]|"")*+)" *'
        self._value = re.compile(rf'(?:{quoted}|((?! *")[^{d}\n]*))({d}|\Z)')
        self._opens_quote = re.compile(rf'(?:\A|{d}) *"')

    def values(self, record: str) -> list[str] | None:
        """The record's values, or None where it is not one whole, well-formed record."""
        record = record.rstrip("\r\n")
        position, values = 0, []
        while True:
            found = self._value.match(record, position)
            if found is None:
                return None
            quoted, plain, end = found.groups()
            values.append(plain if quoted is None else quoted.replace('""', '"'))
            position = found.end()
            if not end:
                return values

    def fitted(self, record: str) -> str | None:
        """The record in a form that every CSV reader splits alike; None where it does not fit.

        One empty value too many is a trailing delimiter and is taken off.
        """
        record = record.rstrip("\r\n")
        if '"' not in record and "\r" not in record:
            extra = record.count(self.delimiter) + 1 - self.column_count
            if extra == 1 and record.endswith(self.delimiter):
                return record[:-1]
            return record if extra == 0 else None
        values = self.values(record)
        if values is None:
            return None
        if len(values) == self.column_count + 1 and values[-1] == "":
            values.pop()
        if len(values) != self.column_count:
            return None
        return self.delimiter.join('"' + value.replace('"', '""') + '"' for value in values)

    def may_continue(self, record: str) -> bool:
        """True where a value opens a quote whose end may stand on a later line."""
        return record.count('"') % 2 == 1 and self._opens_quote.search(record) is not None


def parse_header(line: str, expected: Expected) -> tuple[str, list[str]]:
    """The delimiter under which most expected columns are found, and the header's names."""
    line = line.rstrip("\r\n")
    candidates = []
    for rank, delimiter in enumerate(DELIMITERS):
        values = RecordPattern(delimiter, 0).values(line) or [line]
        known = len(match(values, expected).positions)
        candidates.append((known, len(values), -rank, delimiter, values))
    _, _, _, delimiter, values = max(candidates)
    return delimiter, values

"""What a file that is not the CSV of its spec is instead: a workbook, UTF-16, another separator, lines above the header."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from rowcite.errors import TableError
from rowcite.table.sources.streams import open_stream

_HEAD = 1024
_KINDS = {
    b"PK\x03\x04": "is an Excel workbook or another zip file, not text. End the name of a workbook in .xlsx, or set input.format",
    b"\xd0\xcf\x11\xe0": "is an old Excel workbook or another Office file, not text. Save its sheet as CSV",
    b"PAR1": "is Parquet. Set input.format to parquet, or end its name in .parquet",
    b"\x1f\x8b": "is compressed with gzip. End its name in .gz",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd. End its name in .zst",
}
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_NOTE = re.compile(r"sep=(.)", re.IGNORECASE)
_SEPARATORS = ";\t|,"


def check_is_text(file: Path, encoding: str = "utf-8") -> None:
    """Check that a file's first bytes are those of text in an encoding.

    Raises:
        TableError: they are those of another kind of file, which is named.
    """
    try:
        with open_stream(file) as stream:
            head = bytes(stream.read(_HEAD))
    except OSError:  # the reader names it
        return
    for magic, message in _KINDS.items():
        if head.startswith(magic):
            raise TableError(f"{file}: {message}")
    if encoding == "utf-8" and (found := _utf_16(head)) is not None:
        raise TableError(f"{file}: is {found.upper()}, not UTF-8. Set input.csv.encoding to {found}")


def _utf_16(head: bytes) -> str | None:
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    even, odd = head[::2].count(0), head[1::2].count(0)
    if (
        not head or max(even, odd) * 5 < len(head) * 2 or min(even, odd)
    ):  # half of UTF-16 is NUL in most headers
        return None
    return "utf-16-le" if odd else "utf-16-be"


def check_header(place: str, names: Sequence[str], separator: str, skip: int) -> None:
    """Check that a header is not a note to Excel, such as `sep=;`.

    Raises:
        TableError: it is.
    """
    note = _NOTE.fullmatch(separator.join(names))
    if note is not None:
        other = f"input.csv.separator to {json.dumps(note[1])} and " if note[1] != separator else ""
        raise TableError(
            f"{place}: this is a note to Excel, not a header. Set {other}input.csv.skip_lines to {skip + 1}"
        )


def other_separator(names: Sequence[str]) -> str | None:
    """Return the separator that the only name of a header contains; None if there is none, or there are more names."""
    counts = {sign: names[0].count(sign) for sign in _SEPARATORS} if len(names) == 1 else {}
    most = max(counts, key=lambda sign: counts[sign], default="")
    return most if counts.get(most) else None


def ragged_hint(header: Sequence[str], row: Sequence[str], line: int) -> str:
    """Return what to do about a row in `line` with more or fewer cells than the header."""
    if (sign := other_separator(header)) is not None:
        return f"The header contains {json.dumps(sign)}: set input.csv.separator to it"
    if len(row) > len(header) == 1:
        return f"If the header is in line {line}, below a title, set input.csv.skip_lines to {line - 1}"
    return "Quote cells that hold the separator, or set input.csv.separator"

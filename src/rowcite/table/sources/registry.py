"""The formats that tables are read from, by name and by suffix. Each is registered in `sources/__init__.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rowcite.spec.models import CsvOptions, Format
from rowcite.table.sources.base import COMPRESSED, FileSource


@dataclass(frozen=True, slots=True)
class InputFormat:
    """A format that tables are read from. `open` reads the header or schema of files that form one table.

    The last argument is the name of a workbook's sheet, None for the first.
    """

    name: Format
    suffixes: tuple[str, ...]
    open: Callable[[Sequence[Path], CsvOptions, str | None], FileSource]


FORMATS: dict[str, InputFormat] = {}


def input_format(name: Format) -> InputFormat:
    """Return the format of a name."""
    return FORMATS[name]


def format_names() -> str:
    """Return the names of all formats, as a message lists them."""
    *names, last = FORMATS
    return f"{', '.join(names)} or {last}"


def format_of(path: str | Path) -> Format | None:
    """Return the name of the format that a path's suffix stands for, None if it stands for none."""
    suffix = suffix_of(path)
    return next((item.name for item in FORMATS.values() if suffix in item.suffixes), None)


def suffix_of(path: str | Path) -> str:
    """Return a path's suffix in lower case, without .gz and .zst. An address may have a query."""
    name = Path(urlsplit(path).path if isinstance(path, str) and "://" in path else path)
    if name.suffix.lower() in COMPRESSED:
        name = name.with_suffix("")
    return name.suffix.lower()

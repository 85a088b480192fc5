"""The formats that tables are written in, by suffix. Each is registered in `sinks/__init__.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import polars as pl

from rowcite.errors import TableError
from rowcite.table.sources import COMPRESSED, Rows, Source, suffix_of

WriteRows = Callable[[Rows, pl.DataFrame], None]
"""Writes some rows of the input with the columns that are added to them."""


@dataclass(slots=True)
class About:
    """What a format may write beside the rows: `facts` of the command, called when all rows are written.

    `notes` are what the format reports about a table that it could write only in part.
    """

    facts: Callable[[], Iterable[tuple[str, str | int | float]]] = tuple
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OutputTable:
    """The table to write: the columns of a source, then the added ones."""

    source: Source
    added: pl.Schema
    about: About = field(default_factory=About)

    @property
    def columns(self) -> pl.Schema:
        """Return the names and types of all columns."""
        return pl.Schema({**self.source.schema, **self.added})


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """A format that tables are written in.

    `native` formats have lists and objects; in the others these are JSON text, and texts that a spreadsheet would run
    are escaped. `open` writes the beginning of a table to a stream, returns the function that writes rows, and at the
    end of its block writes what is left. A `compressed` format is not packed again by .gz or .zst. A `workbook` runs no text
    and shows the evidence of each value. `check` raises TableError for a table that the format cannot hold.
    """

    name: str
    suffixes: tuple[str, ...]
    native: bool
    open: Callable[[BinaryIO, OutputTable], AbstractContextManager[WriteRows]]
    compressed: bool = False
    workbook: bool = False
    check: Callable[[str, OutputTable], None] = lambda *_: None


FORMATS: dict[str, OutputFormat] = {}


def output_format(path: str, source: Source) -> OutputFormat:
    """Return the format that an output's suffix stands for; stdout has the input's format, else CSV.

    Raises:
        TableError: the suffix stands for no format, or packs one that is compressed already.
    """
    if path == "-":
        return FORMATS.get(source.format or "csv", FORMATS["csv"])
    suffix = suffix_of(path)
    found = next((item for item in FORMATS.values() if suffix in item.suffixes), None)
    if found is None:
        *suffixes, last = (item.suffixes[0] for item in FORMATS.values())
        raise TableError(f"{path}: unknown format. End it in {', '.join(suffixes)} or {last}")
    if found.compressed and Path(path).suffix.lower() in COMPRESSED:
        raise TableError(f"{path}: {found.name} is compressed inside. End it in {found.suffixes[0]}")
    return found

"""The formats that tables are written in, by suffix. Each is registered in `sinks/__init__.py`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from rowcite.errors import TableError
from rowcite.table.sources import COMPRESSED, Rows, Source, suffix_of

WriteRows = Callable[[Rows, pl.DataFrame], None]
"""Writes some rows of the input with the columns that are added to them."""


@dataclass(frozen=True, slots=True)
class OutputTable:
    """The table to write: the columns of a source, then the added ones."""

    source: Source
    added: pl.Schema

    @property
    def columns(self) -> pl.Schema:
        """Return the names and types of all columns."""
        return pl.Schema({**self.source.schema, **self.added})


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """A format that tables are written in.

    `native` formats have lists and objects; in the others these are JSON text, and texts that a spreadsheet would run
    are escaped. `open` writes the beginning of a table to a stream, returns the function that writes rows, and at the
    end of its block writes what is left. A `compressed` format is not packed again by .gz or .zst.
    """

    name: str
    suffixes: tuple[str, ...]
    native: bool
    open: Callable[[BinaryIO, OutputTable], AbstractContextManager[WriteRows]]
    compressed: bool = False


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

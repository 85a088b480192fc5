"""Frames of each kind: read as a source, and given back as the same kind with the columns that were added and filled.

Only the columns that a spec uses are converted. The others are not looked at, and are in the result as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.table.sources import FrameSource, Rows
from rowcite.table.sources.arrow_types import to_frame
from rowcite.table.sources.limits import NAMES_SEVERAL, is_pattern


class Frame(Protocol):
    """A table in memory, of any kind."""

    @property
    def names(self) -> Sequence[str]:
        """Return the names of the columns."""

    def source(self, used: Collection[str], filled: Collection[str] = ()) -> FrameSource:
        """Return the table as rowcite reads it. Only the values of the columns in `used` are converted.

        Raises:
            TableError: they cannot be read, or the columns in `filled` cannot be filled.
        """

    def enriched(self, added: pl.DataFrame, filled: Sequence[Rows]) -> Any:
        """Return a frame of the same kind: its own columns, with those of `filled` replaced, and the added ones."""


def check_names(names: Sequence[str]) -> None:
    """Raise TableError if two columns have one name, or one has that of several."""
    if patterns := [name for name in names if is_pattern(name)]:
        raise TableError(f"the name of column {patterns[0]!r} {NAMES_SEVERAL}. Rename it")
    if duplicates := sorted({name for name in names if names.count(name) > 1}):
        raise TableError(f"more than one column is named {', '.join(map(repr, duplicates))}. Rename them")


def frame_of(names: Sequence[str], used: pl.DataFrame, height: int) -> pl.DataFrame:
    """Return a frame with all names of a table and the values of the used columns alone."""
    blank = pl.Series([None], dtype=pl.Null).new_from_index(0, height)
    return pl.DataFrame([used[name] if name in used.columns else blank.alias(name) for name in names])


@dataclass(frozen=True, slots=True)
class PolarsFrame:
    """A frame of polars. A lazy one is collected once, and given back lazy."""

    frame: pl.DataFrame
    is_lazy: bool = False

    @property
    def names(self) -> Sequence[str]:
        """Return the names of the columns."""
        return self.frame.columns

    def source(self, used: Collection[str], filled: Collection[str] = ()) -> FrameSource:  # noqa: ARG002 - all are used
        """Return the frame as it is."""
        return FrameSource(self.frame)

    def enriched(self, added: pl.DataFrame, filled: Sequence[Rows]) -> pl.DataFrame | pl.LazyFrame:
        """Return the frame with its new columns."""
        frame = self.frame
        if filled:
            frame = frame.with_columns(pl.concat([rows.frame for rows in filled]))
        frame = frame.hstack(added)
        return frame.lazy() if self.is_lazy else frame


class ArrowFrame:
    """A table of pyarrow, and the function that makes the kind of the original of it."""

    def __init__(self, table: pa.Table, give_back: Callable[[pa.Table], Any]) -> None:
        self._table, self._give_back = table, give_back
        self.names: Sequence[str] = table.schema.names
        check_names(self.names)

    def source(self, used: Collection[str], filled: Collection[str] = ()) -> FrameSource:  # noqa: ARG002 - any can be
        """Return the used columns as a frame, with their Arrow originals."""
        part = self._table.select([name for name in self.names if name in used])
        try:
            part.validate(full=True)  # polars would crash on text that is not UTF-8
        except (pa.ArrowException, UnicodeError) as error:
            raise TableError(f"the table cannot be read: {error}") from error
        return FrameSource(frame_of(self.names, to_frame(part), self._table.num_rows), arrow=part)

    def enriched(self, added: pl.DataFrame, filled: Sequence[Rows]) -> Any:
        """Return the table with its new columns. The types of those are the ones of a Parquet output."""
        table = self._table
        changed = [rows.arrow for rows in filled if rows.arrow is not None]
        for name in changed[0].schema.names if changed else ():
            place, item = table.schema.get_field_index(name), changed[0].schema.field(name)
            chunks = [chunk for part in changed for chunk in part.column(name).chunks]
            table = table.set_column(place, item, pa.chunked_array(chunks, item.type))
        new = added.to_arrow(compat_level=pl.CompatLevel.oldest())
        for item, column in zip(new.schema, new.columns, strict=True):
            table = table.append_column(item, column)
        return self._give_back(table)

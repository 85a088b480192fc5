"""Objects of a program to frames: which kinds there are, and what makes the same kind again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError, UsageError
from rowcite.library.frames import ArrowFrame, Frame, PolarsFrame

_KINDS = (
    "give a path, or a frame: polars, pandas, a pyarrow Table or RecordBatchReader, a duckdb relation, or any object with"
    " `__arrow_c_stream__`"
)


def check_kind(table: object) -> None:
    """Raise UsageError if an object is not a table of a kind that can be enriched. Reads nothing."""
    if not (
        hasattr(table, "__arrow_c_stream__") or isinstance(table, (pl.DataFrame, pl.LazyFrame, str, Path))
    ):
        raise UsageError(f"cannot enrich a {type(table).__name__}: {_KINDS}")


def open_frame(table: object) -> Frame:
    """Return a table of a program in memory as a frame. A one-shot reader is read to its end.

    Raises:
        UsageError: the object is not a table.
        TableError: it cannot be read.
    """
    check_kind(table)
    if isinstance(table, pl.LazyFrame):
        return PolarsFrame(table.collect(engine="streaming"), is_lazy=True)
    if isinstance(table, pl.DataFrame):
        return PolarsFrame(table)
    if _is_of(table, "pandas", "DataFrame"):
        from rowcite.library.pandas_frames import PandasFrame

        return PandasFrame(table)
    give_back: Callable[[pa.Table], Any] = lambda enriched: enriched  # noqa: E731 - one of several
    if isinstance(table, pa.RecordBatch):
        give_back = _as_batch
    elif isinstance(table, pa.RecordBatchReader):
        give_back = pa.Table.to_reader
    elif _is_of(table, "duckdb", "DuckDBPyRelation"):
        from rowcite.library.duckdb_relations import GiveBack, readable

        table, give_back = readable(table), GiveBack(table)
    return ArrowFrame(_read_stream(table), give_back)


def _is_of(table: object, module: str, name: str) -> bool:
    """Return True if an object is of a class of a module; the module is not imported for it."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(table, kind)


def _read_stream(table: Any) -> pa.Table:
    if isinstance(table, pa.Table):
        return table
    try:
        reader = table if isinstance(table, pa.RecordBatchReader) else pa.RecordBatchReader.from_stream(table)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise UsageError(f"cannot enrich a {type(table).__name__}, which has no columns: {_KINDS}") from error
    try:
        return reader.read_all()
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"the {type(table).__name__} cannot be read: {error}") from error


def _as_batch(table: pa.Table) -> pa.RecordBatch:
    columns = [column.combine_chunks() for column in table.columns]
    arrays = [column.chunk(0) if isinstance(column, pa.ChunkedArray) else column for column in columns]
    return pa.RecordBatch.from_arrays(arrays, schema=table.schema)

"""How a Parquet input is laid out, so that an output can be laid out alike: codecs and the size of row groups."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow.parquet as pq

from rowcite.table.sources import Source

_CODECS = {"UNCOMPRESSED": "none", "LZ4_RAW": "lz4"}
_ROWS = 122_880
"""Rows of a row group where the input has none."""


@dataclass(frozen=True, slots=True)
class ParquetLayout:
    """The codec of each column, by its path, and how many rows a row group has."""

    codecs: dict[str, str] = field(default_factory=dict)
    rows: int = _ROWS


def parquet_layout_of(source: Source) -> ParquetLayout:
    """Return how a table's Parquet file is laid out; of several, the first."""
    files = getattr(source, "files", ())
    if source.format != "parquet" or not files or files[0].suffix.lower() in (".gz", ".zst"):
        return ParquetLayout()
    with pq.ParquetFile(files[0]) as parquet:
        told = parquet.metadata
        if not told.num_row_groups:
            return ParquetLayout()
        first = told.row_group(0)
        columns = [first.column(number) for number in range(first.num_columns)]
        codecs = {
            column.path_in_schema: _CODECS.get(column.compression, column.compression.lower())
            for column in columns
        }
        most = max(told.row_group(number).num_rows for number in range(min(told.num_row_groups, 100)))
        return ParquetLayout(codecs, max(most, 1))

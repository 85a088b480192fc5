"""Parquet out, laid out as a Parquet input is: schema, metadata, codecs and the size of row groups."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

import polars as pl
import pyarrow as pa

from rowcite.table.sinks.registry import OutputFormat, OutputTable, WriteRows
from rowcite.table.sinks.streams import closing_quietly
from rowcite.table.sources import COMPRESSED, Rows, Source, parquet_files
from rowcite.table.sources.exact_numbers import check_exact_numbers
from rowcite.table.sources.members import with_own_texts

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_CODECS = {"UNCOMPRESSED": "none", "LZ4_RAW": "lz4"}  # Parquet's names for what Arrow names otherwise
_ADDED_CODEC = "zstd"
_GROUP_ROWS = 122_880  # rows of a row group where the input has none
_GROUP_BYTES = 48 << 20
_GROUPS_READ = 100  # row groups of the input that are looked at


@contextmanager
def _open(stream: BinaryIO, table: OutputTable) -> Iterator[WriteRows]:
    import pyarrow.parquet as pq

    layout, schema = _layout_of(table.source), _schema(table)
    with closing_quietly(
        pq.ParquetWriter(stream, schema, compression=_compression(schema, layout))
    ) as writer:
        groups = _RowGroups(writer, layout.rows)
        yield lambda rows, added: groups.add(_arrow(rows, added, schema))
        groups.flush()


@dataclass(frozen=True, slots=True)
class _Layout:
    """The codec of each column, by its path, and the rows of a row group."""

    codecs: dict[str, str] = field(default_factory=dict)
    rows: int = _GROUP_ROWS


def _layout_of(source: Source) -> _Layout:
    """Return the layout of a Parquet source; of several files, that of the first."""
    files = source.files
    if source.format != "parquet" or not files or files[0].suffix.lower() in COMPRESSED:
        return _Layout()
    import pyarrow.parquet as pq

    with pq.ParquetFile(files[0]) as parquet:
        metadata = parquet.metadata
        if not metadata.num_row_groups:
            return _Layout()
        first = metadata.row_group(0)
        columns = [first.column(number) for number in range(first.num_columns)]
        codecs = {
            column.path_in_schema: _CODECS.get(column.compression, column.compression.lower())
            for column in columns
        }
        groups = range(min(metadata.num_row_groups, _GROUPS_READ))
        return _Layout(codecs, max(1, *(metadata.row_group(number).num_rows for number in groups)))


def _compression(schema: pa.Schema, layout: _Layout) -> str | dict[str, str]:
    """Return the codec of each column: the input's for its own."""
    if not layout.codecs:
        return _ADDED_CODEC
    import pyarrow.parquet as pq

    with io.BytesIO() as file:  # the paths of nested columns are known only once a file is written
        pq.write_table(schema.empty_table(), file)
        written = pq.ParquetFile(file).schema
        paths = [written.column(number).path for number in range(len(written))]
    return {path: layout.codecs.get(path, _ADDED_CODEC) for path in paths}


class _RowGroups:
    """Collects rows and writes row groups of a given size, or smaller ones where memory would grow too large."""

    def __init__(self, writer: pq.ParquetWriter, size: int) -> None:
        self._writer, self._size = writer, size
        self._waiting: list[pa.Table] = []

    def add(self, table: pa.Table) -> None:
        """Add rows; write the row groups that are full."""
        self._waiting.append(table)
        if sum(part.nbytes for part in self._waiting) >= _GROUP_BYTES:
            self._write()
        while self._rows() >= self._size:
            self._write()

    def flush(self) -> None:
        """Write the rows that are left."""
        while self._rows():
            self._write()

    def _rows(self) -> int:
        return sum(part.num_rows for part in self._waiting)

    def _write(self) -> None:
        whole = pa.concat_tables(self._waiting)
        group = whole.slice(0, self._size)
        self._writer.write_table(group, row_group_size=group.num_rows)
        rest = whole.slice(group.num_rows)
        self._waiting = [rest] if rest.num_rows else []


def _schema(table: OutputTable) -> pa.Schema:
    added = _to_arrow(pl.DataFrame(schema=table.added)).schema
    original = table.source.arrow_schema
    if original is None:
        original = _to_arrow(pl.DataFrame(schema=table.source.schema)).schema
    return pa.schema([*original, *added], metadata=original.metadata)


def _arrow(rows: Rows, added: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    table = rows.arrow if rows.arrow is not None else _to_arrow(with_own_texts(rows))
    columns = [
        column
        if column.type == item.type
        else column.cast(item.type)  # a cast to the same type is not always a copy
        for column, item in zip([*table.columns, *_to_arrow(added).columns], schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _to_arrow(frame: pl.DataFrame) -> pa.Table:
    """Return a frame as Arrow has it. Whole numbers of more than 64 bits are decimals: Arrow has no integers of that size."""
    wide = [name for name, dtype in frame.schema.items() if dtype in (pl.Int128, pl.UInt128)]
    frame = frame.cast(dict.fromkeys(wide, pl.Decimal(38, 0)))
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _check(path: str, table: OutputTable) -> None:
    if table.source.format == "jsonl":
        check_exact_numbers(path, table.source)


PARQUET = OutputFormat(
    "parquet", parquet_files.PARQUET.suffixes, native=True, open=_open, compressed=True, check=_check
)

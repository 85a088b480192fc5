"""How many rows of a Parquet row group are read at once: a few bytes of Parquet can unpack to many gigabytes.

A dictionary has a value once, however many rows have it; a run-length code has any number of nulls; a page unpacks to
whatever its codec can. The footer and the dictionaries themselves give an upper bound of a batch's memory.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.table.sources.base import batch_rows
from rowcite.table.sources.limits import TOO_LARGE

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_CHUNK_FREE = 8  # largest values that any column chunk may unpack to
_PREFIXED_FREE = 4  # largest values that a batch of values that share their beginnings may take
_LEAF_BYTES = 8
_DICTIONARIES = {"PLAIN_DICTIONARY", "RLE_DICTIONARY"}
_PREFIXES = "DELTA_BYTE_ARRAY"


def group_batch_rows(file: Path, handle: Any, parquet: pq.ParquetFile, group: int) -> int:
    """Return how many rows of a row group to read at once, so that they take about `read_limits.BATCH` bytes.

    `handle` is what the file was opened from: a path, or an open file.

    Raises:
        TableError: the row group unpacks to more bytes than it may, or has a value that is too large.
    """
    metadata, names = parquet.metadata.row_group(group), parquet.schema
    most: int = min(batch_rows(metadata.num_columns), max(metadata.num_rows, 1))
    dictionaries: list[str] = []
    for index in range(metadata.num_columns):
        column, leaf = metadata.column(index), names.column(index)
        _check_unpacked(file, column)
        if leaf.max_repetition_level:
            _check_repeated(file, column)
        most = min(most, _column_rows(metadata.num_rows, column, leaf))
        unpacked = column.total_uncompressed_size
        if _has_dictionary(column, leaf) and unpacked * most > read_limits.BATCH:
            dictionaries.append(column.path_in_schema)
    if dictionaries and metadata.num_rows:
        largest = _largest_value(file, handle, parquet, group, dictionaries)
        most = min(most, read_limits.BATCH // max(largest, 1))
    return max(most, 1)


def _column_rows(rows: int, column: Any, leaf: Any) -> int:
    """Return how many rows of a column fit into a batch, by what the footer has about it."""
    most, values_per_row = read_limits.BATCH, column.num_values / max(rows, 1)
    if leaf.max_repetition_level:
        most = min(most, int(read_limits.BATCH / _LEAF_BYTES / max(values_per_row, 1)))
    if leaf.physical_type == "FIXED_LEN_BYTE_ARRAY":
        return min(most, int(read_limits.BATCH / max(leaf.length * values_per_row, 1)))
    unpacked = column.total_uncompressed_size
    if leaf.physical_type == "BYTE_ARRAY" and unpacked:
        most = min(most, int(read_limits.BATCH * rows / unpacked))
        if _PREFIXES in column.encodings:
            most = min(most, int(_PREFIXED_FREE * read_limits.CELL / min(unpacked, read_limits.CELL)))
    return most


def _has_dictionary(column: Any, leaf: Any) -> bool:
    return (
        leaf.physical_type == "BYTE_ARRAY"
        and _PREFIXES not in column.encodings
        and bool(_DICTIONARIES & set(column.encodings))
    )


def _check_unpacked(file: Path, column: Any) -> None:
    packed, unpacked = column.total_compressed_size, column.total_uncompressed_size
    if unpacked > max(_CHUNK_FREE * read_limits.CELL, read_limits.RATIO * packed):
        raise TableError(
            f"{file}: column {column.path_in_schema!r} holds {read_limits.size(packed)} that unpack to "
            f"{read_limits.size(unpacked)}: no table packs {read_limits.RATIO} times. If this one does, write it uncompressed"
        )


def _check_repeated(file: Path, column: Any) -> None:
    unpacked = column.num_values * _LEAF_BYTES
    if unpacked > max(_CHUNK_FREE * read_limits.CELL, read_limits.RATIO * column.total_compressed_size):
        raise TableError(
            f"{file}: column {column.path_in_schema!r} holds {column.num_values:,} values in lists in "
            f"{read_limits.size(column.total_compressed_size)}: no table does. Leave the column out"
        )


def _largest_value(file: Path, handle: Any, parquet: pq.ParquetFile, group: int, names: list[str]) -> int:
    """Return the bytes of the largest value in the dictionaries of some columns. Reading one row reads them whole."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(
        handle, metadata=parquet.metadata, read_dictionary=names, pre_buffer=False, buffer_size=1 << 20
    ) as probe:
        first = next(probe.iter_batches(batch_size=1, row_groups=[group], columns=names, use_threads=False))
    largest = 0
    for column in first.columns:
        for values in _dictionaries(column):
            longest = pc.max(pc.binary_length(values)).as_py() or 0
            if longest > read_limits.CELL:
                raise TableError(f"{file}: one of the columns {', '.join(map(repr, names))} has {TOO_LARGE}")
            largest = max(largest, longest)
    return largest


def _dictionaries(column: pa.Array) -> list[pa.Array]:
    """Return the dictionaries in a column, those inside of lists and structs too."""
    if isinstance(column, pa.DictionaryArray):
        return [column.dictionary]
    if pa.types.is_struct(column.type):
        return [found for part in column.flatten() for found in _dictionaries(part)]
    if hasattr(column, "values"):
        return _dictionaries(column.values)
    return []

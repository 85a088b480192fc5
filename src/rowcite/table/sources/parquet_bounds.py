"""How many rows of a Parquet row group can be read at once: a few bytes of Parquet can stand for many gigabytes.

A dictionary holds a value once however many rows have it, a run-length code holds any number of nulls, a page unpacks
to what its codec can. What the footer tells, and the dictionaries themselves, bound what a batch of rows takes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.table.sources.base import TOO_LARGE, rows_at_once

_CHUNK_FREE = 8 * read_limits.CELL
_PREFIXED_FREE = 4 * read_limits.CELL
_BYTES_OF_A_LEAF = 8
_DICTIONARIES = {"PLAIN_DICTIONARY", "RLE_DICTIONARY"}
_PREFIXES = "DELTA_BYTE_ARRAY"


def rows_of_group(file: Path, handle: Any, parquet: pq.ParquetFile, group: int) -> int:
    """Return how many rows of a row group to read at once, so that they take about `read_limits.BATCH` bytes.

    `handle` is what the file was opened from: a path, or an open file.

    Raises:
        TableError: the row group unpacks to more than it may, or has a value that is too large.
    """
    about, names = parquet.metadata.row_group(group), parquet.schema
    most: int = min(rows_at_once(about.num_columns), max(about.num_rows, 1))
    suspects: list[str] = []
    for index in range(about.num_columns):
        column, leaf = about.column(index), names.column(index)
        _check_unpacked(file, column)
        each = column.num_values / max(about.num_rows, 1)
        if leaf.max_repetition_level:
            _check_repeated(file, column)
            most = min(most, int(read_limits.BATCH / _BYTES_OF_A_LEAF / max(each, 1)))
        if leaf.physical_type == "FIXED_LEN_BYTE_ARRAY":
            most = min(most, int(read_limits.BATCH / max(leaf.length * each, 1)))
        elif leaf.physical_type == "BYTE_ARRAY" and column.total_uncompressed_size:
            unpacked = column.total_uncompressed_size
            most = min(most, int(read_limits.BATCH * about.num_rows / unpacked))
            if _PREFIXES in column.encodings:
                most = min(most, int(_PREFIXED_FREE / min(unpacked, read_limits.CELL)))
            elif _DICTIONARIES & set(column.encodings) and unpacked * most > read_limits.BATCH:
                suspects.append(column.path_in_schema)
    if suspects and about.num_rows:
        largest = _largest(file, handle, parquet, group, suspects)
        most = min(most, read_limits.BATCH // max(largest, 1))
    return max(most, 1)


def _check_unpacked(file: Path, column: Any) -> None:
    packed, unpacked = column.total_compressed_size, column.total_uncompressed_size
    if unpacked > max(_CHUNK_FREE, read_limits.RATIO * packed):
        raise TableError(
            f"{file}: column {column.path_in_schema!r} holds {read_limits.size(packed)} that unpack to "
            f"{read_limits.size(unpacked)}: no table packs {read_limits.RATIO} times. If this one does, write it uncompressed"
        )


def _check_repeated(file: Path, column: Any) -> None:
    unpacked = column.num_values * _BYTES_OF_A_LEAF
    if unpacked > max(_CHUNK_FREE, read_limits.RATIO * column.total_compressed_size):
        raise TableError(
            f"{file}: column {column.path_in_schema!r} holds {column.num_values:,} values in lists in "
            f"{read_limits.size(column.total_compressed_size)}: no table does. Leave the column out"
        )


def _largest(file: Path, handle: Any, parquet: pq.ParquetFile, group: int, names: list[str]) -> int:
    """Return the bytes of the largest value in the dictionaries of some columns: the first row brings them whole."""
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

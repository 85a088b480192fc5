"""Parquet in. The Arrow originals are kept, so that a Parquet output loses nothing of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.spec.models import Format
from rowcite.table.sources.arrow_types import to_frame
from rowcite.table.sources.base import COMPRESSED, CellFault, Rows, TextForm, batch_rows
from rowcite.table.sources.limits import check_cells, check_columns, check_names
from rowcite.table.sources.parquet_limits import group_batch_rows
from rowcite.table.sources.registry import InputFormat
from rowcite.table.sources.streams import ReadBytes, unreadable_error

if TYPE_CHECKING:
    import pyarrow.parquet as pq


class ParquetSource:
    """Parquet files of one schema."""

    format: Format | None = "parquet"
    separator = ","
    text_form = TextForm()
    faults: Sequence[CellFault] = ()

    def __init__(self, files: Sequence[Path]) -> None:
        self.files: Sequence[Path] = list(files)
        self.arrow_schema: pa.Schema | None = self._schema(self.files[0])
        for file in self.files[1:]:
            if difference := _difference(self._schema(file), self.arrow_schema, self.files[0].name):
                raise TableError(f"{file}: {difference}. Write all parts with one schema")
        if duplicates := sorted(set(_repeated(list(self.arrow_schema)))):
            raise TableError(f"{self.files[0]}: more than one column is named {duplicates}. Rename them")
        self.schema = to_frame(self.arrow_schema.empty_table()).schema

    def batches(self) -> Iterator[Rows]:
        """Yield the rows of each file in turn."""
        for file in self.files:
            yield from self.read(file)

    @staticmethod
    def read(file: Path) -> Iterator[Rows]:
        """Yield the rows of one file."""
        done = 0
        for table in _tables(file):
            frame = to_frame(table)
            check_cells(file, frame, done)
            done += table.num_rows
            yield Rows(frame, arrow=table)

    @staticmethod
    def _schema(file: Path) -> pa.Schema:
        try:
            with _parquet(file) as (parquet, _):
                schema = parquet.schema_arrow
                check_columns(file, parquet.metadata.num_columns)
                check_names(file, _names(schema))
        except (OSError, pa.ArrowException, UnicodeError) as error:
            raise TableError(f"{file}: not a Parquet file that can be read: {error}") from error
        return schema


def _difference(schema: pa.Schema, first: pa.Schema, name: str) -> str | None:
    """Return how a schema differs from that of the first file, which has a name; None if they are equal."""
    if schema.equals(first):
        return None
    more = [f"has the column {column!r}" for column in schema.names if column not in first.names]
    more += [f"lacks the column {column!r}" for column in first.names if column not in schema.names]
    if more:
        return f"{' and '.join(more)}, unlike {name}"
    for before in first:
        item = schema.field(before.name)
        if item.type != before.type:
            return f"column {item.name!r} is {item.type}, and {before.type} in {name}"
        if item.nullable != before.nullable:
            return f"column {item.name!r} {'may' if item.nullable else 'must not'} be null, unlike in {name}"
    return f"its columns are in another order than those of {name}"


def _tables(file: Path) -> Iterator[pa.Table]:
    """Yield a file's rows in batches; small row groups share one."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    try:
        with _parquet(file) as (parquet, handle):
            most = batch_rows(parquet.metadata.num_columns)
            for batch in _batches(file, parquet, handle):
                if waiting and (rows + batch.num_rows > most or size + batch.nbytes > read_limits.BATCH):
                    yield pa.Table.from_batches(waiting)
                    waiting, rows, size = [], 0, 0
                waiting.append(batch)
                rows, size = rows + batch.num_rows, size + batch.nbytes
            if waiting:
                yield pa.Table.from_batches(waiting)
    except (OSError, pa.ArrowException, UnicodeError) as error:
        raise unreadable_error(file, error) from error


def _batches(file: Path, parquet: pq.ParquetFile, handle: Any) -> Iterator[pa.RecordBatch]:
    for group in range(parquet.num_row_groups):
        rows = group_batch_rows(file, handle, parquet, group)
        for batch in parquet.iter_batches(batch_size=rows, row_groups=[group]):
            batch.validate(full=True)  # polars would crash on text that is not UTF-8
            yield batch


def _names(fields: Iterable[pa.Field]) -> Iterator[str]:
    """Yield the names of columns and of the fields nested in them."""
    for item in fields:
        yield item.name
        yield from _names(item.type.field(place) for place in range(item.type.num_fields))


def _repeated(fields: Sequence[pa.Field], path: str = "") -> Iterator[str]:
    """Yield the names that two columns have, or two members of one object, which polars panics on."""
    names = [item.name for item in fields]
    yield from (path + name for name in names if names.count(name) > 1)
    for item in fields:
        inner = [item.type.field(place) for place in range(item.type.num_fields)]
        yield from _repeated(inner, f"{path}{item.name}.")


@contextmanager
def _parquet(file: Path) -> Iterator[tuple[pq.ParquetFile, Any]]:
    """Open a Parquet file. A compressed one is unpacked to a temporary file, since Parquet is not read in order.

    Column chunks are read in small parts: one row group may be the whole file.
    """
    import pyarrow.parquet as pq  # takes 25 ms, so only where there is Parquet

    if file.suffix.lower() not in COMPRESSED:
        with pq.ParquetFile(file, pre_buffer=False, buffer_size=1 << 20) as parquet:
            yield parquet, file
        return
    with NamedTemporaryFile(prefix="rowcite-", suffix=".parquet") as unpacked:
        with ReadBytes(file) as stream:
            shutil.copyfileobj(stream, unpacked, 1 << 20)
        unpacked.flush()
        with pq.ParquetFile(unpacked.name, pre_buffer=False, buffer_size=1 << 20) as parquet:
            yield parquet, unpacked.name


PARQUET = InputFormat("parquet", (".parquet", ".pq"), lambda files, *_: ParquetSource(files))

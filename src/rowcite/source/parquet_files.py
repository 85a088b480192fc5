"""Parquet files; the Arrow originals go along, so that nothing is lost on the way to Parquet."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from rowcite.errors import TableError
from rowcite.source import base
from rowcite.source.base import COMPRESSED, Rows, opened, unreadable
from rowcite.spec import Format


class ParquetSource:
    """Parquet files of one schema; the Arrow originals go along, so that nothing is lost on the way to Parquet."""

    format: Format | None = "parquet"
    separator = ","

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = list(files)
        self.arrow_schema: pa.Schema | None = self._schema(self.files[0])
        for file in self.files[1:]:
            if not self._schema(file).equals(self.arrow_schema):
                raise TableError(f"{file}: its columns or their types are not those of {self.files[0].name}")
        twice = {name for name in self.arrow_schema.names if self.arrow_schema.names.count(name) > 1}
        if twice:
            raise TableError(
                f"{self.files[0]}: columns {sorted(twice)} stand there more than once. Rename them"
            )
        self.schema = pl.DataFrame(pl.from_arrow(self.arrow_schema.empty_table())).schema

    def batches(self) -> Iterator[Rows]:
        """Yield the rows of each file in turn."""
        for file in self.files:
            try:
                with _parquet(file) as parquet:
                    for batch in parquet.iter_batches(batch_size=base.BATCH_ROWS):
                        table = pa.Table.from_batches([batch])
                        yield Rows(pl.DataFrame(pl.from_arrow(table)), arrow=table)
            except (OSError, pa.ArrowException) as error:
                raise unreadable(file, error) from error

    @staticmethod
    def _schema(file: Path) -> pa.Schema:
        try:
            with _parquet(file) as parquet:
                schema = parquet.schema_arrow
        except (OSError, pa.ArrowException) as error:
            raise TableError(f"{file}: not a Parquet file that can be read: {error}") from error
        for item in schema:
            if "decimal256" in str(item.type):
                raise TableError(
                    f"{file}: column {item.name!r} is {item.type}, and decimals of more than 38 digits cannot be read"
                )
        return schema


@contextmanager
def _parquet(file: Path) -> Iterator[Any]:
    """Open a Parquet file; a compressed one is unpacked to a temporary file, for Parquet is not read in a row."""
    if file.suffix.lower() not in COMPRESSED:
        with pq.ParquetFile(file) as parquet:
            yield parquet
        return
    with TemporaryFile() as unpacked:
        with opened(file) as stream:
            shutil.copyfileobj(stream, unpacked)
        unpacked.seek(0)
        with pq.ParquetFile(unpacked) as parquet:
            yield parquet

"""Hive partitions: the folders `country=NL/year=2024` of a file are columns of its rows, after those of the file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.table.sources.base import FileSource, Rows, Source

_NULL = "__HIVE_DEFAULT_PARTITION__"
_WHOLE = re.compile(r"0|-?[1-9]\d{0,17}", re.ASCII)


def is_partition(folder: str) -> bool:
    """Return True if a folder's name is a partition, such as `country=NL`."""
    return "=" in folder[1:]


def in_partitions(path: str, folder: str) -> bool:
    """Return True if a file is in a folder, or in partitions below it."""
    below = path.removeprefix(f"{folder}/")
    return below != path and all(map(is_partition, below.split("/")[:-1]))


def partitioned(source: FileSource, root: str, names: Mapping[Path, str]) -> Source:
    """Return a source with the columns of its partitions, or the source itself if its files are in none.

    `names` has the path or address of each file. Folders below `root` are partitions: a folder, or a glob without its
    wildcards. A column that the files have is theirs.
    """
    values = {file: _values(name, root) for file, name in names.items()}
    columns = list(next(iter(values.values()), {}))
    for file, own in values.items():
        if list(own) != columns:
            found, first = ", ".join(own) or "none", ", ".join(columns) or "none"
            raise TableError(
                f"{file}: is in the partitions {found}, and the first file is in {first}. Name files of one kind with a glob"
            )
    columns = [name for name in columns if name not in source.schema]
    return _PartitionedSource(source, columns, values) if columns else source


def _values(name: str, root: str) -> dict[str, str | None]:
    below = name[len(root) :] if name.startswith(root) else ""
    pairs = (part.split("=", 1) for part in PurePosixPath(below).parts[:-1] if is_partition(part))
    return {unquote(key): None if value == _NULL else unquote(value) for key, value in pairs}


class _PartitionedSource:
    """A source whose rows have columns more. In Parquet a column of whole numbers is one of integers; else it is text."""

    def __init__(
        self, source: FileSource, columns: Sequence[str], values: Mapping[Path, Mapping[str, str | None]]
    ) -> None:
        self._source, self._values = source, values
        self.format, self.files, self.separator = source.format, source.files, source.separator
        self.text_form, self.arrow_schema, self.faults = source.text_form, source.arrow_schema, source.faults
        self._columns: dict[str, pl.DataType] = {name: pl.String() for name in columns}
        if source.arrow_schema is not None:
            for name in columns:
                own = [part[name] for part in values.values()]
                if all(text is None or _WHOLE.fullmatch(text) for text in own) and any(own):
                    self._columns[name] = pl.Int64()
            self.arrow_schema = self._appended(source.arrow_schema)
        self.schema = pl.Schema({**source.schema, **self._columns})

    def _appended(self, schema: pa.Schema) -> pa.Schema:
        for name, dtype in self._columns.items():
            schema = schema.append(pa.field(name, pa.int64() if dtype == pl.Int64 else pa.large_string()))
        return schema

    def batches(self) -> Iterator[Rows]:
        """Yield the rows in order."""
        for file in self.files:
            yield from self.read(file)

    def read(self, file: Path) -> Iterator[Rows]:
        """Yield the rows of one file."""
        values = {name: self._values[file][name] for name in self._columns}
        one = pl.DataFrame(
            [
                pl.Series(name, [int(text) if text and dtype == pl.Int64 else text], dtype)
                for (name, dtype), text in zip(self._columns.items(), values.values(), strict=True)
            ]
        )
        member = json.dumps(values, ensure_ascii=False)[1:-1].encode()
        for rows in self._source.read(file):
            more = (
                one.select(pl.all().repeat_by(rows.frame.height).explode(empty_as_null=False))
                if rows.frame.height
                else one.clear()
            )
            arrow = self._with_columns(rows.arrow, more) if rows.arrow is not None else None
            lines = [_with_member(line, member) for line in rows.lines] if rows.lines is not None else None
            yield Rows(rows.frame.hstack(more), arrow, lines, rows.kinds)

    def _with_columns(self, arrow: pa.Table, more: pl.DataFrame) -> pa.Table:
        schema = self._appended(arrow.schema)
        added = more.to_arrow(compat_level=pl.CompatLevel.oldest()).columns
        return pa.Table.from_arrays([*arrow.columns, *added], schema=schema)


def _with_member(line: bytes, member: bytes) -> bytes:
    body = line[:-1].rstrip()
    return body + (b"" if body == b"{" else b",") + member + b"}"

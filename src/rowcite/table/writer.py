"""Tables out: written beside the target, synced, then renamed, so that a table appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import IO, Any, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from rowcite.errors import Incomplete, TableError
from rowcite.files import open_temp_sibling
from rowcite.spec.models import Format
from rowcite.table.layout import ParquetLayout, parquet_layout_of
from rowcite.table.sources import Rows, Source, check_target, format_of, upload

_OS_ERROR = re.compile(r"\(os error (\d+)\)$")
_GROUP_BYTES = 128 << 20
_TEXT_ROWS = 10_000  # so many rows are text at a time
_CODECS = {".gz": "gzip", ".zst": "zstd"}


def output_format(path: str, source: Source) -> Format:
    """Return the format that an output's suffix says; stdout repeats the input's.

    Raises:
        TableError: the suffix says none.
    """
    found = source.format or "csv" if path == "-" else format_of(path)
    if found is None:
        raise TableError(f"{path}: the suffix says no format. End it in .csv, .tsv, .parquet or .jsonl")
    if found == "parquet" and Path(path).suffix.lower() in _CODECS:
        raise TableError(f"{path}: Parquet is compressed inside. End it in .parquet")
    return found


def check_output(path: str, source: Source) -> None:
    """See that a table can be written there, before money is spent on what would be written.

    Raises:
        TableError: it is the input, or a folder, or its folder cannot be written, or its suffix says no format.
    """
    if path == "-" or "://" in path:
        output_format(path, source)
        if path != "-":
            check_target(path, source)
        return
    target = Path(path)
    try:
        if target.is_dir():
            raise TableError(
                f"{path}: this is a folder. Name a file in it, such as {target / 'enriched.csv'}"
            )
        output_format(path, source)
        if target.exists() and not target.is_file():
            raise TableError(f"{path}: this is not a file. Name a file, or `-` for stdout")
        for file in getattr(source, "files", ()):
            if target.resolve() == file.resolve() or (target.exists() and target.samefile(file)):
                raise TableError(
                    f"{path}: this is the input, which is never written over. Name another output"
                )
        folder = next(parent for parent in target.resolve().parents if parent.exists())
    except (OSError, ValueError) as error:
        raise TableError(
            f"{path}: cannot write there: {getattr(error, 'strerror', None) or error}"
        ) from error
    if not folder.is_dir():
        raise TableError(f"{path}: cannot write there: {folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise TableError(
            f"{path}: cannot write there: the folder {folder} does not let you. Name another output"
        )


class TableWriter:
    """Writes one table, batch after batch. Use it as a context manager: without an error it commits.

    Raises:
        Incomplete: the disk is full. The target is as it was.
        TableError: the target cannot be written.
    """

    def __init__(self, path: str, kind: Format, source: Source, added: pl.Schema) -> None:
        self.path, self.kind = path, kind
        self.separator = "\t" if kind == "tsv" else source.separator if source.format == "csv" else ","
        self._columns = pl.Schema({**source.schema, **added})
        self._original = source.arrow_schema
        self._added = added
        self._sink: Any = None
        self._layout = parquet_layout_of(source) if kind == "parquet" else ParquetLayout()
        self._waiting: list[pa.Table] = []  # rows of the next row group
        self._elsewhere = "://" in path

    def __enter__(self) -> Self:
        try:
            if self.path == "-" or self._elsewhere:
                self._target = None
                handle, name = tempfile.mkstemp(prefix="rowcite-")
                self._beside = Path(name)
            else:
                self._target = Path(self.path).resolve()
                self._target.parent.mkdir(parents=True, exist_ok=True)
                handle, self._beside = open_temp_sibling(self._target)
        except OSError as error:
            raise self._explained(error) from error
        self._file: IO[bytes] = os.fdopen(handle, "wb")
        try:
            self._open_sink()
        except BaseException as error:
            self.__exit__(type(error))
            raise self._explained(error) if isinstance(error, OSError) else error from error
        return self

    def write(self, rows: Rows, added: pl.DataFrame) -> None:
        """Write a batch of rows with their added columns."""
        try:
            if self.kind == "parquet":
                self._grouped(self._arrow(rows, added))
            elif self.kind == "jsonl":
                self._sink.write(_lines(rows, added))
            else:
                self._csv(rows.frame.hstack(added))
        except OSError as error:
            raise self._explained(error) from error

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._commit()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._explained(error) from error
        finally:
            self._drop()

    # --- inside --------------------------------------------------------------------------------------

    def _open_sink(self) -> None:
        if self.kind == "parquet":
            self._sink = pq.ParquetWriter(self._file, self._arrow_schema(), compression=self._compression())
            return
        codec = _CODECS.get(Path(self.path).suffix.lower())
        self._sink = self._file
        if (
            codec
        ):  # closing the stream closes its file, and ours has still to be synced: it gets one of its own
            own = os.fdopen(os.dup(self._file.fileno()), "wb")
            self._sink = pa.CompressedOutputStream(pa.PythonFile(own, mode="w"), codec)
        if self.kind != "jsonl":
            self._csv(pl.DataFrame(schema=self._columns), header=True)

    def _compression(self) -> str | dict[str, str]:
        """Return the codec of each column: the input's for its own."""
        if not self._layout.codecs:
            return "zstd"
        empty = self._arrow_schema().empty_table()
        with io.BytesIO() as file:  # only a written file tells the paths of nested columns
            pq.write_table(empty, file)
            schema = pq.ParquetFile(file).schema
            paths = [schema.column(number).path for number in range(len(schema))]
        return {path: self._layout.codecs.get(path, "zstd") for path in paths}

    def _grouped(self, table: pa.Table | None) -> None:
        """Write row groups of the input's size, as far as memory allows; None: the last one."""
        if table is not None:
            self._waiting.append(table)
        rows = sum(part.num_rows for part in self._waiting)
        size = sum(part.nbytes for part in self._waiting)
        while rows and (table is None or rows >= self._layout.rows or size >= _GROUP_BYTES):
            whole = pa.concat_tables(self._waiting)
            first = whole.slice(0, self._layout.rows)
            self._sink.write_table(first, row_group_size=max(first.num_rows, 1))
            rest = whole.slice(first.num_rows)
            self._waiting, rows, size = [rest] if rest.num_rows else [], rest.num_rows, 0

    def _csv(self, frame: pl.DataFrame, *, header: bool = False) -> None:
        frame = _plain(frame)
        nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
        if nested:  # a Parquet input's own lists and objects: JSON text, as for found ones
            frame = frame.with_columns(_json_text(frame[name]) for name in nested)
        for part in frame.iter_slices(_TEXT_ROWS) if frame.height else [frame]:
            # To a plain file polars writes by itself; what is to be compressed has to pass through here.
            target = self._file if self._sink is self._file else io.BytesIO()
            part.write_csv(target, include_header=header, separator=self.separator, quote_style="necessary")
            if isinstance(target, io.BytesIO):
                self._sink.write(target.getbuffer())
            else:
                target.flush()

    def _arrow_schema(self) -> pa.Schema:
        added = _to_arrow(pl.DataFrame(schema=self._added)).schema
        original = self._original
        if original is None:
            names = [name for name in self._columns if name not in self._added]
            original = _to_arrow(pl.DataFrame(schema={name: self._columns[name] for name in names})).schema
        return pa.schema([*original, *added], metadata=original.metadata)

    def _arrow(self, rows: Rows, added: pl.DataFrame) -> pa.Table:
        table = rows.arrow if rows.arrow is not None else _to_arrow(rows.frame)
        for name, column in zip(added.columns, _to_arrow(added).columns, strict=True):
            table = table.append_column(name, column)
        return table.cast(self._arrow_schema())

    def _commit(self) -> None:
        if self.kind == "parquet":
            self._grouped(None)
        if self._sink is not self._file:
            self._sink.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        if self._elsewhere:
            upload(self._beside, self.path)
            return
        if self._target is None:
            self._file.close()
            with self._beside.open("rb") as table:
                shutil.copyfileobj(table, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        if self._target.exists():
            shutil.copymode(self._target, self._beside)
        else:
            umask = os.umask(0)
            os.umask(umask)
            self._beside.chmod(0o666 & ~umask)
        self._beside.replace(self._target)
        folder = os.open(self._target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _drop(self) -> None:
        """Close what is open, whatever it says: what was to be written is written, or is not wanted."""
        for item in (self._sink, self._file):
            with contextlib.suppress(OSError, ValueError, pa.ArrowException):
                if item is not None:
                    item.close()
        self._beside.unlink(missing_ok=True)

    def _explained(self, error: OSError) -> Exception:
        told = _OS_ERROR.search(str(error))
        if error.errno is None and told:  # polars has the number in its words alone
            error = OSError(int(told[1]), os.strerror(int(told[1])))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Incomplete(
                f"{self.path}: the disk is full, and the table is as it was. Make room, then run again"
            )
        return TableError(f"{self.path}: cannot write it: {error.strerror or error}")


def _to_arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn what text formats have no form for into text: bytes into base64, durations into ISO 8601."""
    odd = {name: dtype for name, dtype in frame.schema.items() if _needs_text(dtype)}
    return frame.with_columns(_as_text(pl.col(name), dtype).alias(name) for name, dtype in odd.items())


def _needs_text(dtype: pl.DataType) -> bool:
    if isinstance(dtype, (pl.List, pl.Array)):
        return _needs_text(_instance(dtype.inner))
    if isinstance(dtype, pl.Struct):
        return any(_needs_text(_instance(field.dtype)) for field in dtype.fields)
    return isinstance(dtype, (pl.Binary, pl.Duration))


def _as_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Binary):
        return value.bin.encode("base64")
    if isinstance(dtype, pl.Duration):
        return value.dt.to_string("iso")
    if isinstance(dtype, pl.Array):
        return _as_text(value.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.List):
        return value.list.eval(_as_text(pl.element(), _instance(dtype.inner)))
    if isinstance(dtype, pl.Struct):
        parts = [
            _as_text(value.struct.field(field.name), _instance(field.dtype)).alias(field.name)
            for field in dtype.fields
        ]
        return pl.when(value.is_not_null()).then(pl.struct(parts))
    return value


def _instance(dtype: Any) -> pl.DataType:
    whole: pl.DataType = (
        dtype() if isinstance(dtype, type) else dtype
    )  # polars may give a class for an instance
    return whole


def _json_text(column: pl.Series) -> pl.Series:
    lines = column.alias("v").to_frame().write_ndjson().split("\n")[:-1]  # splitlines() would split at U+2028
    texts = [line[len('{"v":') : -1] for line in lines]
    return pl.Series(column.name, [None if text == "null" else text for text in texts], dtype=pl.String)


def _lines(rows: Rows, added: pl.DataFrame) -> bytes:
    """Return JSON lines: the original line, to the byte where there is one, with the added members at its end."""
    new = added.write_ndjson().encode().splitlines()
    old = rows.lines if rows.lines is not None else _plain(rows.frame).write_ndjson().encode().splitlines()
    joined = (
        line[:-1] + (b"" if line[:-1].rstrip().endswith(b"{") else b",") + more[1:]
        for line, more in zip(old, new, strict=True)
    )
    return b"".join(line + b"\n" for line in joined)

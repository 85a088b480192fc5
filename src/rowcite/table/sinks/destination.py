"""Where a table goes: a file, an object in a store, or stdout. It appears there whole or not at all."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, cast
from urllib.parse import urlsplit

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.files import atomic_write, write_errors
from rowcite.inert import one_line
from rowcite.table.sinks.registry import About, OutputFormat, OutputTable, WriteRows, output_format
from rowcite.table.sinks.replace import Replacement
from rowcite.table.sinks.streams import packed
from rowcite.table.sources import WITH_LINES, FrameSource, Rows, Source
from rowcite.table.sources.remote import RemoteSource

_STORES = ("s3", "gs", "az")


@contextmanager
def open_table(
    path: str,
    source: Source,
    added: pl.Schema,
    replacement: Replacement | None = None,
    about: About | None = None,
) -> Iterator[WriteRows]:
    """Open an output; return the function that writes rows. The table appears when the block ends without an error.

    `replacement` chooses its place then, which is `path` unless there is a richer table. `about` is what is written beside the rows.

    Raises:
        Incomplete: the disk is full. The target is as it was.
        TableError: the target cannot be written.
    """
    form = output_format(path, source)
    with (
        write_errors(path),
        _destination(path, source, replacement or Replacement()) as file,
        packed(file, path) as stream,
        form.open(stream, OutputTable(source, added, about or About())) as write,
    ):
        yield write


@contextmanager
def _destination(path: str, source: Source, replacement: Replacement) -> Iterator[BinaryIO]:
    if path != "-" and "://" not in path:
        with atomic_write(Path(path), choose=partial(_chosen_file, path, source, replacement)) as file:
            yield file
        replacement.remove_partial(source)
        return
    with NamedTemporaryFile("wb", prefix="rowcite-") as spool:
        yield cast("BinaryIO", spool.file)
        spool.flush()
        if path != "-":
            _upload(Path(spool.name), path, source, replacement)
            return
        with Path(spool.name).open("rb") as table:
            write_to_stdout(table)


def write_to_stdout(file: BinaryIO) -> None:
    """Write a file to stdout: its bytes, or on a terminal its lines with control characters escaped."""
    if sys.stdout.isatty():
        for line in file:
            sys.stdout.write(one_line(line.decode(errors="replace").rstrip("\r\n")) + "\n")
    else:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.flush()


def _chosen_file(path: str, source: Source, replacement: Replacement, place: Path) -> Path | None:
    """Return the file that a finished table becomes. `place` is that of `path`, behind links."""
    chosen = replacement.choose(str(place) if Path(path).is_symlink() else path, source)
    return place.with_name(Path(chosen).name) if chosen is not None else None


def _upload(file: Path, url: str, source: Source, replacement: Replacement) -> None:
    from rowcite.table.sources.cloud import upload

    chosen = replacement.choose(url, source)
    if chosen is not None:
        upload(file, chosen)
    replacement.remove_partial(source)


def check_output(path: str, source: Source, *, writes: bool = True) -> None:
    """Check that a table can be written to a path: to a store by writing an empty object beside it.

    Without `writes`, nothing is written, and its folder may be read-only.

    Raises:
        TableError: the path is the input or a folder, its format is unknown, or it cannot be written.
    """
    if "://" in path:
        output_format(path, source)
        _check_url(path, source, writes=writes)
    elif path != "-":
        folder = _check_file(path, source)
        if writes and not os.access(folder, os.W_OK | os.X_OK):
            raise TableError(
                f"{path}: cannot write there: no permission for the folder {folder}. Name another output"
            )


def check_columns(path: str, source: Source, added: pl.Schema) -> None:
    """Check that a table's format can hold its columns, by writing an empty table to memory.

    Raises:
        TableError: a column, or a number of a JSON line, cannot be written without loss.
    """
    form = output_format(path, source)
    table = OutputTable(source, added)
    if (error := _write_empty(form, table)) is not None:
        bad = [name for name in source.schema if _write_empty(form, OutputTable(_only(source, name), added))]
        shown = ", ".join(f'"{name}" ({source.schema[name]})' for name in bad) or "together"
        raise TableError(
            f"{path}: {form.name} cannot hold the columns {shown}: {error}. Write to .jsonl or .csv, or leave them out"
        )
    form.check(path, table)


def _write_empty(form: OutputFormat, table: OutputTable) -> Exception | None:
    """Return the error of writing an empty table; None if there is none."""
    source = table.source
    arrow = source.arrow_schema.empty_table() if source.arrow_schema is not None else None
    rows = Rows(pl.DataFrame(schema=source.schema), arrow, [] if source.format in WITH_LINES else None)
    try:
        with form.open(io.BytesIO(), table) as write:
            write(rows, pl.DataFrame(schema=table.added))
    except (pa.ArrowException, pl.exceptions.PolarsError) as error:
        return error
    return None


def _only(source: Source, name: str) -> Source:
    schema = pa.schema([source.arrow_schema.field(name)]) if source.arrow_schema is not None else None
    return FrameSource(pl.DataFrame(schema={name: source.schema[name]}), arrow_schema=schema)


def _check_file(path: str, source: Source) -> Path:
    """Return the nearest folder of a path that exists."""
    target = Path(path)
    try:
        if target.is_dir():
            raise TableError(
                f"{path}: this is a folder. Name a file in it, such as {target / 'enriched.csv'}; `engine: daft` writes folders"
            )
        output_format(path, source)
        if target.exists() and not target.is_file():
            raise TableError(f"{path}: this is not a file. Name a file, or `-` for stdout")
        if any(_is_same(target, file) for file in source.files):
            raise TableError(f"{path}: this is the input, which is never written over. Name another output")
        folder = next(parent for parent in target.resolve().parents if parent.exists())
    except (OSError, ValueError) as error:
        text = getattr(error, "strerror", None) or error
        raise TableError(f"{path}: cannot write there: {text}") from error
    if not folder.is_dir():
        raise TableError(f"{path}: cannot write there: {folder} is not a folder")
    return folder


def _is_same(target: Path, file: Path) -> bool:
    return target.resolve() == file.resolve() or (target.exists() and target.samefile(file))


def _check_url(url: str, source: Source, *, writes: bool) -> None:
    scheme = urlsplit(url).scheme.lower()
    if scheme not in _STORES:
        raise TableError(f"{url}: rowcite writes to files, s3://, gs:// and az://, not to {scheme}://")
    from rowcite.table.sources.cloud import check_bucket, check_writable, is_part_of

    if isinstance(source, RemoteSource) and (url in source.parts or is_part_of(url, source.url)):
        raise TableError(f"{url}: this is the input, or would be a part of it. Name another output")
    check_bucket(url)
    if writes:
        check_writable(url)

"""What every table is: a schema, and rows in batches; and how a file is opened."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.spec.models import Format

BATCH_ROWS = 50_000

COMPRESSED = {".gz": "gzip", ".zst": "zstd"}
"""The codec that a suffix stands for."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some consecutive rows. `arrow` (Parquet) and `lines` (JSONL) are the originals, where a frame would lose something."""

    frame: pl.DataFrame
    arrow: pa.Table | None = None
    lines: list[bytes] | None = None

    def slice(self, start: int, rows: int) -> Rows:
        """Return some of the rows."""
        return Rows(
            self.frame.slice(start, rows),
            self.arrow.slice(start, rows) if self.arrow is not None else None,
            self.lines[start : start + rows] if self.lines is not None else None,
        )


class Source(Protocol):
    """A table that can be read more than once. `files` are those of this machine that it is read from."""

    format: Format | None
    files: Sequence[Path]
    separator: str
    schema: pl.Schema
    arrow_schema: pa.Schema | None

    def batches(self) -> Iterator[Rows]:
        """Yield the rows in order."""


@dataclass(slots=True)
class FrameSource:
    """A polars frame, as `rowcite.enrich` takes it."""

    frame: pl.DataFrame
    format: Format | None = None
    files: Sequence[Path] = ()
    separator: str = ","
    arrow_schema: pa.Schema | None = None
    schema: pl.Schema = field(init=False)

    def __post_init__(self) -> None:
        self.schema = self.frame.schema

    def batches(self) -> Iterator[Rows]:
        """Yield slices of the frame."""
        for start in range(0, self.frame.height, BATCH_ROWS):
            yield Rows(self.frame.slice(start, BATCH_ROWS))


def limited(batches: Iterator[Rows], limit: int | None) -> Iterator[Rows]:
    """Yield the first `limit` rows; all for None."""
    left = limit
    for rows in batches:
        if left is None:
            yield rows
            continue
        if left <= 0:
            return
        if rows.frame.height > left:
            yield rows.slice(0, left)
            return
        yield rows
        left -= rows.frame.height


_TOGETHER, _BYTES = 250_000, 32 << 20


def coalesce(batches: Iterator[Rows]) -> Iterator[Rows]:
    """Yield the same rows in larger batches, as far as memory allows: the more rows, the more of them repeat."""
    held: list[Rows] = []
    count = size = 0
    for rows in batches:
        held.append(rows)
        count, size = count + rows.frame.height, size + int(rows.frame.estimated_size())
        if count >= _TOGETHER or size >= _BYTES:
            yield _joined(held)
            held, count, size = [], 0, 0
    if held:
        yield _joined(held)


def _joined(parts: list[Rows]) -> Rows:
    if len(parts) == 1:
        return parts[0]
    tables = [part.arrow for part in parts if part.arrow is not None]
    lines = [part.lines for part in parts if part.lines is not None]
    return Rows(
        pl.concat([part.frame for part in parts]),
        pa.concat_tables(tables) if tables else None,
        [line for some in lines for line in some] if lines else None,
    )


def framed(arrow: Any) -> pl.DataFrame:
    """Return an Arrow batch or table as a frame.

    polars would give a column without a name one of its own, and end in a panic on metadata that is not UTF-8.
    """
    fields = list(arrow.schema)
    plain = [_without_bytes(item) for item in fields]
    same = all(ours is theirs for ours, theirs in zip(plain, fields, strict=True))
    bare = arrow.replace_schema_metadata(None) if same else arrow.cast(pa.schema(plain))
    frame = pl.DataFrame(pl.from_arrow(bare))
    frame.columns = arrow.schema.names
    return frame


def _without_bytes(item: pa.Field) -> pa.Field:
    """Return a field without metadata that is not UTF-8; itself when it has none."""
    try:
        for text in (item.metadata or {}).values():
            text.decode()
    except UnicodeDecodeError:
        return item.remove_metadata()
    return item


class ReadBytes(io.RawIOBase):
    """A file's bytes for Python, unpacked by its suffix, and refused when they are more than a packed file may hold."""

    def __init__(self, file: Path) -> None:
        self._inner, self._file = opened(file), file
        self._most, self._count = most_unpacked(file), 0

    def readable(self) -> bool:
        """Say yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer; return how many bytes came."""
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        self._count += len(data)
        if self._count > self._most:
            raise decompression_bomb_error(self._file)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._inner.close()
        super().close()


def most_unpacked(file: Path) -> int:
    """Return how many bytes a file may unpack to."""
    if file.suffix.lower() not in COMPRESSED:
        return sys.maxsize
    return max(read_limits.FREE, read_limits.RATIO * file.stat().st_size)


def decompression_bomb_error(file: Path) -> TableError:
    """Return the error for a file that unpacks to more than it may."""
    return TableError(
        f"{file}: {read_limits.size(file.stat().st_size)} that unpack to more than {read_limits.size(most_unpacked(file))}: "
        f"no table packs {read_limits.RATIO} times. If this one does, unpack it and name the unpacked file"
    )


def columns_fit(file: Path, names: int) -> None:
    """Refuse a table of more columns than any has."""
    if names > read_limits.COLUMNS:
        raise TableError(
            f"{file}: {names:,} columns, and rowcite reads {read_limits.COLUMNS:,} at most. "
            "Is the separator right? Else leave out what is not needed"
        )


def names_fit(file: Path, names: Iterable[str]) -> None:
    """Refuse a name that ends in the middle for whoever takes text as C does, as Arrow and polars among themselves do."""
    if odd := [name for name in names if "\0" in name]:
        raise TableError(f"{file}: the name of column {odd[0]!r} holds a NUL. Rename it")


def cells_fit(file: Path, frame: pl.DataFrame, before: int) -> None:
    """Refuse a value that is larger than any may be; `before` rows of the file precede these."""
    if frame.estimated_size() <= read_limits.CELL:
        return
    for name, dtype in frame.schema.items():
        if dtype not in (pl.String, pl.Binary):
            continue
        sizes = frame[name].str.len_bytes() if dtype == pl.String else frame[name].bin.size()
        if (sizes.max() or 0) > read_limits.CELL:  # type: ignore[operator]
            raise TableError(
                f"{file}: row {before + (sizes.arg_max() or 0) + 1:,}, column {name!r}: {TOO_LARGE}"
            )


TOO_LARGE = (
    f"a value of more than {read_limits.size(read_limits.CELL)}, which is the most that is read. "
    "Take such values out of the table, or cut them"
)


def rows_at_once(columns: int) -> int:
    """Return how many rows a batch has at most."""
    return max(1, min(BATCH_ROWS, read_limits.BATCH_CELLS // max(columns, 1)))


def opened(file: Path) -> Any:
    """Open a file as a stream of its bytes, unpacked by its suffix."""
    try:
        return pa.input_stream(str(file), compression="detect")
    except (OSError, pa.ArrowException) as error:
        raise unreadable(file, error) from error


def unreadable(file: Path, error: Exception) -> TableError:
    """Return the error for a file that cannot be read."""
    text = (getattr(error, "strerror", None) or str(error)).split(". Detail:", 1)[0]
    return TableError(f"{file}: cannot read it: {text}")

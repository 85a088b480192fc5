"""The stream that a table is written to: a file as it is, or packed by .gz or .zst."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

import pyarrow as pa

from rowcite.table.sources import COMPRESSED


class _Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=_Closable)


@contextmanager
def closing_quietly(item: T) -> Iterator[T]:
    """Close an item when the block ends. After an error in the block, errors of the closing are dropped."""
    dropped: tuple[type[Exception], ...] = (OSError, ValueError, pa.ArrowException)
    try:
        yield item
        dropped = ()
    finally:
        with suppress(*dropped):
            item.close()


@contextmanager
def packed(file: BinaryIO, path: str) -> Iterator[BinaryIO]:
    """Return the stream that packs into a file, if the path's suffix asks for it; else the file."""
    codec = COMPRESSED.get(Path(path).suffix.lower())
    if codec is None:
        yield file
        return
    # Closing the stream closes its file, and the given one is still to be synced: the stream gets a copy of the handle.
    with (
        closing_quietly(os.fdopen(os.dup(file.fileno()), "wb")) as own,
        closing_quietly(pa.CompressedOutputStream(pa.PythonFile(own, mode="w"), codec)) as stream,
    ):
        yield stream

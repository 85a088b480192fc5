"""Tables in S3, Google Cloud Storage or Azure, or at an https address.

A command reads its table several times, so it copies it to a temporary folder when it begins: the network is used
once, and its faults appear before anything is spent.
"""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.spec.models import Format
from rowcite.table.sources.base import Rows, Source

Stamp: TypeAlias = tuple[object, ...] | None
"""What shows without reading that a table is still the same: the names, sizes and times of its parts."""

_SCHEMES = ("s3", "gs", "az", "https", "http")


class Download(NamedTuple):
    """The copies of a table's parts with their addresses, and the stamp of what was copied."""

    names: Mapping[Path, str]
    stamp: Stamp


class RemoteSource:
    """A table that is copied to this machine. Its errors have the addresses in place of the copies' paths.

    `copies` are the local files, `stamp` is that of the parts that were copied.

    Raises:
        TableError: the table does not exist, cannot be read, or the connection broke; nothing was spent.
    """

    def __init__(self, url: str, kind: Format | None, read: Callable[[Mapping[Path, str]], Source]) -> None:
        folder = Path(mkdtemp(prefix="rowcite-"))
        self._cleanup = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._names, self.stamp = _download(url, kind, folder)
        self.copies: Sequence[Path] = tuple(self._names)
        with self._original_names():
            self._inner = read(self._names)
        self.format: Format | None = self._inner.format
        self.files: Sequence[Path] = ()
        self.separator: str = self._inner.separator
        self.text_form = self._inner.text_form
        self.schema: pl.Schema = self._inner.schema
        self.arrow_schema: pa.Schema | None = self._inner.arrow_schema
        self.faults = self._inner.faults
        self.url, self.parts = url, tuple(self._names.values())

    def batches(self) -> Iterator[Rows]:
        """Yield the rows in order."""
        with self._original_names():
            yield from self._inner.batches()

    @contextmanager
    def _original_names(self) -> Iterator[None]:
        try:
            yield
        except TableError as error:
            text = str(error)
            for file, name in self._names.items():
                text = text.replace(str(file), name)
            raise TableError(text) from error


def remote_stamp(url: str, kind: Format | None) -> Stamp:
    """Return the stamp of the table at an address, without copying it."""
    if urlsplit(url).scheme.lower() in ("https", "http"):
        from rowcite.table.sources.web import stamp

        return stamp(url)
    from rowcite.table.sources.cloud import stamp_parts

    return stamp_parts(url, kind)


def _download(url: str, kind: Format | None, folder: Path) -> Download:
    """Copy a table's parts."""
    scheme = urlsplit(url).scheme.lower()
    if scheme not in _SCHEMES:
        raise TableError(f"{url}: rowcite reads s3://, gs://, az:// and https:// tables, not {scheme}://")
    if scheme in ("https", "http"):
        from rowcite.table.sources.web import download

        return Download(*download(url, folder))
    from rowcite.table.sources.cloud import download_parts

    return Download(*download_parts(url, kind, folder))

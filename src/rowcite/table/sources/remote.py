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
from urllib.parse import urlsplit

import polars as pl
import pyarrow as pa

from rowcite.errors import TableError
from rowcite.spec.models import Format
from rowcite.table.sources.base import Rows, Source

_SCHEMES = ("s3", "gs", "az", "https", "http")


class RemoteSource:
    """A table that is copied to this machine. Its errors have the addresses in place of the copies' paths.

    Raises:
        TableError: the table does not exist, cannot be read, or the connection broke; nothing was spent.
    """

    def __init__(self, url: str, kind: Format | None, read: Callable[[Sequence[Path]], Source]) -> None:
        folder = Path(mkdtemp(prefix="rowcite-"))
        self._cleanup = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._names = _download(url, kind, folder)
        with self._original_names():
            self._inner = read(list(self._names))
        self.format: Format | None = self._inner.format
        self.files: Sequence[Path] = ()
        self.separator: str = self._inner.separator
        self.text_form = self._inner.text_form
        self.schema: pl.Schema = self._inner.schema
        self.arrow_schema: pa.Schema | None = self._inner.arrow_schema
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


def _download(url: str, kind: Format | None, folder: Path) -> Mapping[Path, str]:
    """Copy a table's parts; return the address of each."""
    scheme = urlsplit(url).scheme.lower()
    if scheme not in _SCHEMES:
        raise TableError(f"{url}: rowcite reads s3://, gs://, az:// and https:// tables, not {scheme}://")
    if scheme in ("https", "http"):
        from rowcite.table.sources.web import download

        return download(url, folder)
    from rowcite.table.sources.cloud import download_parts

    return download_parts(url, kind, folder)

"""Tables that are elsewhere: in S3, Google Cloud Storage or Azure, or behind an https address.

They are copied to a temporary folder when a command begins, for each command reads its table several times: so the network is
used once, and what goes wrong with it goes wrong before a cent is spent.
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

SCHEMES = ("s3", "gs", "az", "https", "http")


class RemoteSource:
    """A table that was copied here. Its errors name it as it was named.

    Raises:
        TableError: nothing is there, it cannot be read, or the network went away; nothing was spent.
    """

    def __init__(self, url: str, kind: Format | None, read: Callable[[Sequence[Path]], Source]) -> None:
        folder = Path(mkdtemp(prefix="rowcite-"))
        self._gone = weakref.finalize(
            self, shutil.rmtree, folder, ignore_errors=True
        )  # at the end at the latest
        self._names = _copied(url, kind, folder)
        with self._named():
            self._inner = read(list(self._names))
        self.format: Format | None = self._inner.format
        self.files: Sequence[Path] = ()
        self.separator: str = self._inner.separator
        self.schema: pl.Schema = self._inner.schema
        self.arrow_schema: pa.Schema | None = self._inner.arrow_schema
        self.named, self.parts = url, tuple(self._names.values())

    def batches(self) -> Iterator[Rows]:
        """Yield the rows in order."""
        with self._named():
            yield from self._inner.batches()

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except TableError as error:
            text = str(error)
            for file, name in self._names.items():
                text = text.replace(str(file), name)
            raise TableError(text) from error


def _copied(url: str, kind: Format | None, folder: Path) -> Mapping[Path, str]:
    """Copy a table's parts; return what each was called."""
    scheme = urlsplit(url).scheme.lower()
    if scheme not in SCHEMES:
        raise TableError(
            f"{url}: rowcite reads s3://, gs://, az:// and https:// tables, and none from {scheme}://"
        )
    if scheme in ("https", "http"):
        from rowcite.table.sources.web import download

        return download(url, folder)
    from rowcite.table.sources.cloud import download_parts

    return download_parts(url, kind, folder)

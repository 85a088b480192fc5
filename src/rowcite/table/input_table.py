"""The table of a command: as it was when the command began, and as it is now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rowcite.errors import InputError, TableChanged, TableError
from rowcite.spec.models import CsvOptions, Format
from rowcite.table.sources import Source, open_source
from rowcite.table.sources.opening import stamp_of
from rowcite.table.sources.remote import RemoteSource, Stamp


@dataclass(frozen=True, slots=True)
class TableAddress:
    """Where a table is, and how it is read. `spool` is the copy of a table on stdin, `sheet` that of a workbook."""

    path: str
    kind: Format | None
    options: CsvOptions
    spool: Path | None = None
    sheet: str | None = None

    def open(self) -> Source:
        """Return the table as it is now."""
        return open_source(self.path, self.kind, self.options, sheet=self.sheet, spool=self.spool)

    def stamp(self) -> Stamp:
        """Return the names, sizes and times of the table's parts; None where the address gives none."""
        return stamp_of(self.path, self.kind, self.spool)


@dataclass(frozen=True, slots=True)
class InputTable:
    """An open table, and its identity: the stamp of its parts, and a digest of their bytes (None: not taken)."""

    address: TableAddress
    source: Source
    stamp: Stamp
    digest: bytes | None = None

    @property
    def name(self) -> str:
        """Return the table as messages name it: an address without its query, which may be secret."""
        return self.source.parts[0] if isinstance(self.source, RemoteSource) else self.address.path

    @property
    def is_current(self) -> bool:
        """Return True if the table at the address is still this one, as far as its stamp shows.

        A remote table that cannot be looked at counts as this one: its copy is whole, and its answers are paid for.
        """
        try:
            stamp = self.address.stamp()
        except TableError:
            return isinstance(self.source, RemoteSource)
        return stamp is not None and stamp == self.stamp

    def has_bytes_of(self, other: InputTable) -> bool:
        """Return True if this table has the bytes of another, whatever its times are."""
        same_stamp = self.stamp is not None and self.stamp == other.stamp
        return same_stamp or (self.digest is not None and self.digest == other.digest)

    def now(self) -> InputTable:
        """Return the table as it is now.

        Raises:
            TableChanged: it has another header, or cannot be read.
        """
        if self.is_current:
            return self
        try:
            table = open_table(self.address, identify=True)
        except InputError as error:
            raise TableChanged(
                f"the table changed while this command was running, and cannot be read now: {error}"
            ) from error
        if difference := _difference(self.source, table.source):
            raise TableChanged(
                f"{self.name}: the header changed while this command was running: {difference}. Restore it, or run again to use"
                " the new one"
            )
        return table


def open_table(address: TableAddress, *, identify: bool) -> InputTable:
    """Open a table. With `identify`, its bytes are read once, so that a later look can compare them.

    Raises:
        TableError: the table cannot be read.
    """
    stamp = None if "://" in address.path else address.stamp()  # before the header is read
    source = address.open()
    if isinstance(source, RemoteSource):
        return InputTable(address, source, source.stamp, _digest(source.copies) if identify else None)
    digest = _digest(source.files) if identify else None
    return InputTable(address, source, stamp, digest if address.stamp() == stamp else None)


def _digest(files: Iterable[Path]) -> bytes | None:
    whole = hashlib.sha256()
    try:
        for file in files:
            with file.open("rb") as opened:
                whole.update(hashlib.file_digest(opened, "sha256").digest())
    except OSError:
        return None
    return whole.digest()


def _difference(before: Source, now: Source) -> str | None:
    """Return how the header of a table differs from what it was; None if it is the same."""
    if before.format != now.format:
        return f"the table was {before.format} and is {now.format}"
    old, new = list(before.schema), list(now.schema)
    if old != new:
        lost = ", ".join(f'"{name}"' for name in old if name not in new)
        added = ", ".join(f'"{name}"' for name in new if name not in old)
        parts = [f"it lacks {lost}"] if lost else []
        parts += [f"it has {added}"] if added else []
        return " and ".join(parts) or "its columns are in another order"
    if (
        before.arrow_schema is None
        or now.arrow_schema is None
        or before.arrow_schema.equals(now.arrow_schema)
    ):
        return None
    changed = [name for name in old if before.arrow_schema.field(name) != now.arrow_schema.field(name)]
    return f"another type of {', '.join(changed) or 'a column'}"

"""The output folder of an engine: parts are written beside it first, and take their places when the whole table is known."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec

from rowcite.engines.merge_part import Order, PartRecord, written_part
from rowcite.errors import TableError
from rowcite.files import move_whole, write_errors, write_whole
from rowcite.model import decoded_counts
from rowcite.table.contents import Contents
from rowcite.table.sinks import Existing, data_files, existing_file

SUCCESS, MANIFEST, STAGING = "_SUCCESS", "_rowcite.json", ".rowcite-parts"
"""Names that no reader of a folder takes for a part: they begin with `_` or a dot."""


def folder_output(path: str, given: Path) -> str:
    """Return the path of an output folder with a slash at its end. `given` is the input.

    Raises:
        TableError: it is not a folder, or the input would be in it or it in the input.
    """
    if path == "-" or "://" in path or not (path.endswith("/") or Path(path).is_dir()):
        raise TableError(
            f"{path}: engine daft writes a folder with a file for each part. End the path of a folder in a slash, such as out/accounts/"
        )
    target, source = Path(path).resolve(), given.resolve()
    if target == source or target.is_relative_to(source) or source.is_relative_to(target):
        raise TableError(f"{path}: this is the input folder, or one is in the other. Write to another folder")
    return f"{path.rstrip('/')}/"


class OutputFolder:
    """A folder with a file for each part of the input, a manifest of them, and `_SUCCESS`, which is written last."""

    def __init__(self, path: str) -> None:
        self.path = Path(path).absolute()
        self.staging = self.path / STAGING
        self._before = _manifest(self.path)
        self._files: dict[str, Path] = {}
        self._records: dict[str, PartRecord] = {}

    def add(self, record: PartRecord, file: Path) -> None:
        """Add the file of a part."""
        self._records[record.name], self._files[record.name] = record, file

    def add_finished(self, order: Order) -> bool:
        """Add the file of a part if there is one already, from the same rows and answers and without a pending row."""
        place = self.path / order.part.name
        placed = self._before.get(order.part.name)
        if placed is not None and (placed.digest != order.digest or not placed.is_of(place)):
            placed = None
        staged = written_part(order)
        found = staged or placed
        if found is None or not found.is_final:
            return False
        self.add(found, order.table if staged else place)
        return True

    def contents(self, names: Iterable[str]) -> Contents:
        """Return what the table holds whose parts have these names, in their order."""
        contents = Contents()
        for name in names:
            contents.append(self._records[name].contents)
        return contents

    def install(self, place: str) -> None:
        """Put the files of all parts into a folder: this one, or the one beside it for a poorer table.

        A file that is in its place is not touched, and one of an earlier table that this one has no part for is removed.
        """
        target = Path(place).absolute()
        moved = {name: file for name, file in self._files.items() if file != target / name}
        stale = _manifest(target).keys() - self._files.keys()
        if not moved and not stale and (target / SUCCESS).exists():
            return
        with write_errors(place):
            (target / SUCCESS).unlink(missing_ok=True)
            for name, file in moved.items():
                move_whole(file, target / name, copy=not file.is_relative_to(self.staging))
            for name in stale:
                (target / name).unlink(missing_ok=True)
            placed = {name: _as_placed(record, target / name) for name, record in self._records.items()}
            write_whole(target / MANIFEST, msgspec.json.encode(placed))
            write_whole(target / SUCCESS, b"")

    def clear(self) -> None:
        """Remove what is left of writing."""
        shutil.rmtree(self.staging, ignore_errors=True)


def existing_folder(path: str, separator: str, count: bool) -> Existing | None:  # noqa: FBT001 - as `existing_file`
    """Return the table in a folder, None if there is none. Parts that the manifest does not know are read."""
    folder = Path(path)
    files, manifest = data_files(folder), _manifest(folder)
    found: list[Existing] = []
    for file in files:
        record = manifest.get(str(file.relative_to(folder)))
        if record is not None and record.is_of(file):
            found.append(Existing(own=True, answered=record.contents.answered))
        elif (part := existing_file(str(file), separator, count)) is not None:
            found.append(part)
    if not found:
        return None
    return Existing(
        any(part.own for part in found),
        sum(part.answered for part in found),
        all(part.readable for part in found),
    )


def remove_folder(path: str) -> None:
    """Remove the parts and markers that rowcite wrote into a folder, and the folders that are then empty.

    Raises:
        OSError: something cannot be removed.
    """
    folder = Path(path)
    parts = [folder / name for name in _manifest(folder)]
    for file in (folder / SUCCESS, *parts, folder / MANIFEST):
        file.unlink(missing_ok=True)
    for each in sorted(
        {parent for file in parts for parent in file.parents if parent.is_relative_to(folder)}, reverse=True
    ):
        if not any(each.iterdir()):
            each.rmdir()


def _as_placed(record: PartRecord, file: Path) -> PartRecord:
    found = file.stat()
    return msgspec.structs.replace(record, size=found.st_size, time=found.st_mtime_ns)


def _manifest(folder: Path) -> dict[str, PartRecord]:
    try:
        return msgspec.json.decode(
            (folder / MANIFEST).read_bytes(), type=dict[str, PartRecord], dec_hook=decoded_counts
        )
    except (OSError, msgspec.DecodeError):
        return {}

"""The output folder of an engine: parts are written beside it first, and take their places when the whole table is known."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from rowcite.engines.merge_part import PartRecord
from rowcite.errors import TableError
from rowcite.files import move_whole, write_errors, write_whole

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
        self._records = _manifest(self.path)

    def finished(self, name: str, digest: str) -> PartRecord | None:
        """Return the record of a part that is in its place already, from the same rows and answers; else None."""
        record = self._records.get(name)
        is_there = record is not None and record.digest == digest and record.is_of(self.path / name)
        return record if is_there else None

    def install(self, place: str, files: Mapping[str, Path], records: Mapping[str, PartRecord]) -> None:
        """Put the files of all parts, by name, into a folder: this one, or the one beside it for a poorer table.

        A file that is in its place is not touched, and one of an earlier table that this one has no part for is removed.
        """
        target = Path(place).absolute()
        before = _manifest(target)
        moved = {name: file for name, file in files.items() if file != target / name}
        stale = before.keys() - files.keys()
        if not moved and not stale and (target / SUCCESS).exists():
            return
        with write_errors(place):
            (target / SUCCESS).unlink(missing_ok=True)
            for name, file in moved.items():
                move_whole(file, target / name, copy=not file.is_relative_to(self.staging))
            for name in stale:
                (target / name).unlink(missing_ok=True)
            kept = {name: _as_placed(record, target / name) for name, record in records.items()}
            write_whole(target / MANIFEST, msgspec.json.encode(kept))
            write_whole(target / SUCCESS, b"")

    def clear(self) -> None:
        """Remove what is left of writing."""
        shutil.rmtree(self.staging, ignore_errors=True)


def _as_placed(record: PartRecord, file: Path) -> PartRecord:
    found = file.stat()
    return msgspec.structs.replace(record, size=found.st_size, time=found.st_mtime_ns)


def _manifest(folder: Path) -> dict[str, PartRecord]:
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=dict[str, PartRecord])
    except (OSError, msgspec.DecodeError):
        return {}

"""A workbook's parts: what kind of file it is, its sheets, and the unpacked bytes of a part within its limit."""

from __future__ import annotations

import posixpath
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from tempfile import NamedTemporaryFile

from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.table.sources.base import COMPRESSED
from rowcite.table.sources.limits import NO_SPACE, max_bytes_of
from rowcite.table.sources.streams import ReadBytes, unreadable_error
from rowcite.wording import did_you_mean

_SMALL = 64 * read_limits.MIB
_CHUNK = 4 << 20
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SAVE = 'Save it as "Excel Workbook (.xlsx)"'
_OTHERS = {
    "xl/workbook.bin": f"is a binary Excel workbook (.xlsb), which rowcite does not read. {_SAVE}",
    "mimetype": f"is a LibreOffice document (.ods), which rowcite does not read. {_SAVE}",
    "Index/Document.iwa": "is a Numbers document, which rowcite does not read. Export it to Excel",
    "word/document.xml": "is a Word document. Name a workbook",
}
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^>]*)>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s([^>]*)>")
_ATTRIBUTE = re.compile(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_WORKBOOK = "xl/workbook.xml"
_UNUSUAL = f"its XML is not as Excel writes it. Open it in Excel or LibreOffice. {_SAVE}"
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, IndexError),
)
"""What zipfile raises for bytes that are not a zip file that it reads."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet of a workbook: its name, the part with its cells, and whether a user sees it."""

    name: str
    part: str
    visible: bool


class Parts:
    """The parts of an open workbook. `file` names it in messages; a part unpacks to `most` bytes at most."""

    def __init__(self, file: Path, opened: zipfile.ZipFile, most: int) -> None:
        self._file, self._zip, self._most = file, opened, most
        names = opened.namelist()
        if _WORKBOOK not in names:
            raise TableError(f"{file}: {_other_zip(names)}")
        if len({name.lower() for name in names}) < len(names) or any("\\" in name for name in names):
            raise TableError(f"{file}: a damaged workbook: it has a part more than once. {_SAVE} again")
        main = _relations(self._whole("_rels/.rels"), "/officeDocument")
        if [posixpath.normpath(f"/{target}") for target in main.values()] != [f"/{_WORKBOOK}"]:
            raise TableError(f"{file}: {_UNUSUAL}")

    def sheets(self) -> list[Sheet]:
        """Return the worksheets in their order."""
        targets = _relations(self._whole("xl/_rels/workbook.xml.rels"), "/worksheet")
        sheets: list[Sheet] = []
        for found in _SHEET.finditer(self._whole(_WORKBOOK)):
            values = _attributes(found[1])
            relation = next((value for key, value in values.items() if key.endswith(":id")), None)
            if relation is not None and relation in targets:
                state = values.get("state", "visible")
                part = _part_of(targets[relation])
                if part not in self._zip.namelist() or values.get("name") in {sheet.name for sheet in sheets}:
                    raise TableError(f"{self._file}: {_UNUSUAL}")
                sheets.append(Sheet(values.get("name", ""), part, state == "visible"))
        return sheets

    def chunks(self, part: str) -> Iterator[bytes]:
        """Yield the bytes of a part; nothing for a part that is not there.

        Raises:
            TableError: it unpacks to too much, or is damaged.
        """
        try:
            info = copy(self._zip.getinfo(part))
        except KeyError:
            return
        info.file_size, done = sys.maxsize, 0  # the size that the file states may be a lie
        try:
            with self._zip.open(info) as stream:
                while chunk := stream.read(_CHUNK):
                    done += len(chunk)
                    if done > self._most:
                        raise TableError(
                            f"{self._file}: a sheet of more than {read_limits.size(self._most)}, the largest that is read. Save it as CSV"
                        )
                    yield chunk
        except _DAMAGE as error:
            raise TableError(f"{self._file}: a damaged workbook ({part}: {error}). {_SAVE} again") from error

    def _whole(self, part: str) -> bytes:
        data = bytearray()
        for chunk in self.chunks(part):
            data += chunk
            if len(data) > _SMALL:
                raise TableError(
                    f"{self._file}: a damaged workbook: {part} is larger than {read_limits.size(_SMALL)}"
                )
        if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"<!" in data:
            raise TableError(f"{self._file}: {_UNUSUAL}")
        return bytes(data)


@contextmanager
def open_parts(file: Path) -> Iterator[Parts]:
    """Open the parts of a workbook.

    Raises:
        TableError: it is not a workbook, is protected with a password, or is of a kind that is not read.
    """
    try:
        with file.open("rb") as stream:
            head = stream.read(4096)
        if head.startswith(_OLD_OFFICE):
            raise TableError(f"{file}: {_old_office(file)}")
        with zipfile.ZipFile(file) as opened:
            yield Parts(file, opened, max_bytes_of(file))
    except OSError as error:
        raise unreadable_error(file, error) from error
    except _DAMAGE as error:
        raise TableError(f"{file}: {_no_zip(head)}") from error


@contextmanager
def unpacked(file: Path) -> Iterator[Path]:
    """Yield a workbook, or a temporary copy of one that is packed by .gz or .zst."""
    if file.suffix.lower() not in COMPRESSED:
        yield file
        return
    with NamedTemporaryFile(prefix="rowcite-", suffix=".xlsx") as copied:
        with ReadBytes(file) as stream:
            while part := stream.read(_CHUNK):
                try:
                    copied.write(part)
                except OSError as error:
                    raise TableError(f"{file}: {NO_SPACE}") from error
        copied.flush()
        yield Path(copied.name)


def find_sheet(file: Path, sheets: list[Sheet], name: str | None) -> Sheet:
    """Return the sheet of a name; the first one that a user sees for None.

    Raises:
        TableError: there is none.
    """
    if name is not None:
        found = next((sheet for sheet in sheets if sheet.name == name), None)
    else:
        found = next((sheet for sheet in sheets if sheet.visible), None) or next(iter(sheets), None)
    if found is not None:
        return found
    names = [sheet.name for sheet in sheets]
    listed = ", ".join(f'"{each}"' for each in names) or "none"
    if name is None:
        raise TableError(f"{file}: the workbook has no worksheet")
    raise TableError(
        f'{file}: no sheet "{name}"{did_you_mean(name, names, chr(34))}. Set input.sheet to one of: {listed}'
    )


def _relations(data: bytes, kind: str) -> dict[str, str]:
    """Return the targets of the relations of a kind, by their ids."""
    found = [_attributes(item[1]) for item in _RELATION.finditer(data)]
    return {
        item.get("Id", ""): item.get("Target", "") for item in found if item.get("Type", "").endswith(kind)
    }


def _part_of(target: str) -> str:
    """Return the part that a relation of the workbook names; some programs write it from the root without a slash."""
    whole = target if target.startswith(("/xl/", "xl/")) else f"xl/{target}"
    return posixpath.normpath(f"/{whole.lstrip('/')}").lstrip("/")


def _attributes(text: bytes) -> dict[str, str]:
    found = _ATTRIBUTE.finditer(text.decode("utf-8", "replace"))
    return {item[1]: unescape(item[2] if item[2] is not None else item[3]) for item in found}


def _old_office(file: Path) -> str:
    """Return what a file of the old Office container is."""
    names = "EncryptedPackage".encode("utf-16-le"), "EncryptionInfo".encode("utf-16-le")
    with file.open("rb") as stream:
        data = stream.read(_SMALL)
    if any(name in data for name in names):
        return "the workbook is protected with a password. Remove the password in Excel (File, Info, Protect Workbook)"
    return f"is an old Excel workbook (.xls), which rowcite does not read. {_SAVE}"


def _other_zip(names: list[str]) -> str:
    return next(
        (text for part, text in _OTHERS.items() if part in names),
        f"is a zip file and not an Excel workbook. {_SAVE}",
    )


def _no_zip(head: bytes) -> str:
    """Return what a file is that should be a workbook."""
    if head.startswith(b"PK\x03\x04"):
        return (
            f"a damaged workbook: its end is missing. Copy it again, or {_SAVE[0].lower()}{_SAVE[1:]} again"
        )
    if head.lstrip()[:1] == b"<":
        return f"is HTML or XML and not an Excel workbook: some programs export such files. {_SAVE} in Excel"
    if not head:
        return "the file is empty"
    return "is not an Excel workbook. If it is a CSV, end its name in .csv, or set input.format"

"""The first rows of a table, and how the table is written: format, separator, encoding."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rowcite.draft.content import looks_like_data
from rowcite.draft.encoding import Encoding, detect_encoding
from rowcite.errors import TableError
from rowcite.spec import read_limits
from rowcite.spec.models import CsvOptions, Format
from rowcite.table.inputs import can_be_sent
from rowcite.table.sources import WHICH_INPUT, Source, find_files, format_of, open_files
from rowcite.table.sources.csv_faults import field_size_limit
from rowcite.table.sources.registry import suffix_of
from rowcite.table.sources.remote import RemoteSource
from rowcite.table.sources.streams import open_stream, open_text
from rowcite.table.sources.xlsx_parts import open_parts, unpacked
from rowcite.wording import did_you_mean_file, plural

ROWS = 500
"""Rows that are looked at."""
_HEAD_CHARS, _HEAD_ROWS = 1 << 20, 200
_SEPARATORS = (",", ";", "\t", "|", ":", "^", "~")
_DEFAULTS = {"csv": ",", "tsv": "\t"}
_SPREADSHEETS = {
    ".xls": "an old Excel workbook",
    ".xlsb": "a binary Excel workbook",
    ".ods": "a LibreOffice workbook",
    ".numbers": "a Numbers workbook",
}
_ARRAY = re.compile(rb"\s*\[\s*\{")
_SAVE_AS = 'which rowcite does not read. Save it as "Excel Workbook (.xlsx)", or its sheet as "CSV UTF-8"'


@dataclass(frozen=True, slots=True)
class TableForm:
    """How a table is written. `format` is None if the suffix of its name shows it. `sheets` are those of a workbook that are not hidden."""

    kind: Format
    format: Format | None
    separator: str | None = None
    encoding: Encoding | None = None
    sheets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column's name, the texts of its values that are not blank, and whether it can be an input."""

    name: str
    values: list[str]
    can_be_sent: bool = True


@dataclass(frozen=True, slots=True)
class Sample:
    """The columns of a table with the values of its first rows."""

    form: TableForm
    columns: list[Column]
    rows: int = 0

    def filled(self, column: Column) -> float:
        """Return the share of rows with a value in a column; 1 if there are no rows."""
        return len(column.values) / self.rows if self.rows else 1.0


def read_sample(path: str, spool: Path) -> Sample:
    """Return the first rows of a table: a file, a glob, a folder, an address, or `-` for stdin, copied to `spool`.

    Raises:
        TableError: the table does not exist or cannot be read: it is empty, has no header, or is of another kind.
    """
    source, form = _open(path, spool)
    for rows in source.batches():
        frame = rows.frame.head(ROWS)
        break
    else:
        return Sample(form, [Column(name, [], can_be_sent(kind)) for name, kind in source.schema.items()])
    columns = [
        Column(name, [text for value in frame[name].to_list() if (text := _text(value))], can_be_sent(kind))
        for name, kind in source.schema.items()
    ]
    if form.kind in {*_DEFAULTS, "xlsx"}:
        _check_header(path, columns)
    return Sample(form, columns, frame.height)


def _open(path: str, spool: Path) -> tuple[Source, TableForm]:
    """Open a table as it is written."""
    forms: list[TableForm] = []

    def read(names: Mapping[Path, str]) -> Source:
        form = _form(next(iter(names)), path)
        forms.append(form)
        own = form.separator if form.separator != _DEFAULTS.get(form.kind) else None
        encoding = form.encoding.name if form.encoding else "utf-8"
        return open_files(names, path, form.format, CsvOptions(separator=own, encoding=encoding))

    if "://" in path:
        return RemoteSource(path, None, read), forms[0]
    is_one = path != "-" and not any(sign in path for sign in "*?[")
    if is_one and not Path(path).exists():
        raise TableError(f"{path}: no such file{did_you_mean_file(path)}")
    try:
        files = find_files(path, "csv" if path == "-" else None, spool)
    except TableError as error:  # there is no spec yet
        raise TableError(str(error).removesuffix(WHICH_INPUT)) from error
    return read({file: str(file) for file in files}), forms[0]


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, (list, dict, bytes)) else str(value).strip()


def _form(file: Path, named: str) -> TableForm:
    """Return how a file is written."""
    suffix = suffix_of(file)
    by_suffix = format_of(file)
    with open_stream(file) as stream:
        head = bytes(stream.read(4096))
    if by_suffix is None and suffix in _SPREADSHEETS:
        raise TableError(f"{named}: {_SPREADSHEETS[suffix]}, {_SAVE_AS}")
    kind = by_suffix or _kind_of(head)
    if kind == "xlsx":
        return TableForm(kind, None if by_suffix else kind, sheets=_sheets(file))
    if kind not in _DEFAULTS:
        return TableForm(kind, None if by_suffix else kind)
    if head.startswith(b"PK\x03\x04"):
        raise TableError(
            f"{named}: has the bytes of a workbook or a zip archive. End its name in .xlsx if it is a workbook"
        )
    if _ARRAY.match(head):
        raise TableError(
            f"{named}: is a JSON array. rowcite reads JSON lines, an object a line: jq -c '.[]' FILE > TABLE.jsonl"
        )
    if head.lstrip()[:5].lower() in {b"<html", b"<!doc", b"<?xml"}:
        raise TableError(
            f"{named}: is HTML or XML and not a table. Was a login page saved in place of the export?"
        )
    encoding = detect_encoding(file)
    separator = _separator(file, named, encoding.name, _DEFAULTS[kind])
    return TableForm(kind, None if by_suffix else kind, separator, encoding)


def _sheets(file: Path) -> tuple[str, ...]:
    with unpacked(file) as plain, open_parts(plain) as parts:
        return tuple(sheet.name for sheet in parts.sheets() if sheet.visible)


def _kind_of(head: bytes) -> Format:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    return "jsonl" if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") else "csv"


def _separator(file: Path, named: str, encoding: str, default: str) -> str:
    """Return the character that divides the rows into the same number of cells, the largest number if several do."""
    with open_text(file, encoding) as stream:
        text = stream.read(_HEAD_CHARS)
    if text[:4].lower() == "sep=":
        raise TableError(
            f'{named}:1: "{text.splitlines()[0]}" is a line for Excel alone. Delete it: a table begins with its header'
        )
    widths = {mark: _widths(text, mark) for mark in dict.fromkeys((default, *_SEPARATORS))}
    most = {mark: _common(found) for mark, found in widths.items()}
    even = {mark: found.count(most[mark]) / max(len(found), 1) for mark, found in widths.items()}
    # Under one cell, rows of two cells may be one column of names with commas: not under a comment.
    several = 1 if text.lstrip("\ufeff").startswith("#") else 2
    fitting = [
        mark
        for mark, found in widths.items()
        if even[mark] >= 0.6 and (found[0] == most[mark] > 1 or most[mark] > several)
    ]
    if not fitting and max(widths[default][:1], default=1) > 1:
        return default  # a header of several columns over other rows: an error that names the row
    if not fitting:
        return next((mark for mark in widths if set(widths[mark]) <= {1}), default)
    best = max(fitting, key=lambda mark: (even[mark] == 1, most[mark]))
    _check_first_line(named, widths[best], most[best])
    return best


def _widths(text: str, separator: str) -> list[int]:
    """Return the number of cells of each row; rows without text are left out, and the last one if it may be cut."""
    whole = text if len(text) < _HEAD_CHARS else text[: text.rfind("\n") + 1]
    with field_size_limit(read_limits.CELL):
        try:
            return [
                len(row)
                for row in _first(csv.reader(io.StringIO(whole, newline=""), delimiter=separator))
                if row
            ]
        except csv.Error:
            return []


def _first(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for _, row in zip(range(_HEAD_ROWS), rows, strict=False):
        yield row


def _common(widths: list[int]) -> int:
    """Return the number of cells that most rows after the first have."""
    counted = Counter(widths[1:] or widths)
    return counted.most_common(1)[0][0] if counted else 0


def _check_first_line(named: str, widths: list[int], common: int) -> None:
    """Raise TableError if a title is above the header."""
    if widths[0] <= common // 2:
        line = next(number for number, width in enumerate(widths, 1) if width == common)
        raise TableError(
            f"{named}:1: {plural(widths[0], 'cell')} where most rows have {common}. "
            f"The header seems to be row {line}: delete the rows above it"
        )


def _check_header(path: str, columns: list[Column]) -> None:
    """Raise TableError if the first row looks like a row of values."""
    if shown := [column.name for column in columns if looks_like_data(column.name, column.values)]:
        raise TableError(
            f"{path}:1: the first row looks like values and not like the names of columns ({', '.join(shown[:3])}). "
            "Insert a header above it, such as company,website"
        )

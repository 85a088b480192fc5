"""Writes only the changed cells, for CRM imports: a key column and the changed fields of the rows with a change.

An import never blanks a field by accident: only accepted values that are not null are changes, and no value is written
that the importer reads as an empty field.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from rowcite.accept.judge import Cell
from rowcite.changes import check_key
from rowcite.errors import TableError, UsageError
from rowcite.files import atomic_write, write_errors
from rowcite.inert import csv_line, is_formula, without_formula
from rowcite.ledger import Ledger
from rowcite.model import RowStatus
from rowcite.pipeline.input_changes import check_unchanged, with_table_of_now
from rowcite.pipeline.job import Job
from rowcite.rows.given import GIVEN, same
from rowcite.rows.resolver import RowGroup, RowResolver
from rowcite.spec.fields import Field, FieldType, fields
from rowcite.spec.models import CsvOptions
from rowcite.table.sources import WHICH_INPUT, open_source
from rowcite.table.sources.members import own_texts
from rowcite.wording import did_you_mean

Importer = Literal["hubspot", "salesforce"]
_IMPORTERS: tuple[Importer | None, ...] = (None, "hubspot")  # lists for Salesforce are as for HubSpot
EMPTIES: dict[Importer, str] = {"salesforce": "#n/a"}
"""The value that an importer reads as an empty field, in lower case."""

_MOST_PROBLEMS = 5
_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?\Z")


@dataclass(frozen=True, slots=True)
class DeltaOptions:
    """The options of a deltas file.

    `key` is the table's column that identifies a record. `against` is a table with the key and some of the
    fields, such as an earlier deltas file; values that it already has are left out.
    """

    key: str
    importer: Importer | None = None
    against: str | None = None
    per_field: bool = False


@dataclass(slots=True)
class DeltaSummary:
    """The result: files, rows and cells (by column) written, and the number of values left out or escaped by reason.

    `pending` counts the table's rows without an answer.
    """

    rows: int = 0
    cells: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)
    without_key: int = 0
    unrepresentable: int = 0
    escaped: int = 0
    ids: int = 0
    pending: int = 0


def write_changes(job: Job, ledger: Ledger, options: DeltaOptions, target: Path) -> DeltaSummary:
    """Write the changed cells as CSV in UTF-8; with `per_field`, one file for each field, named after it.

    The files appear whole or not at all. Memory grows by about 200 bytes for each changed row.

    Raises:
        UsageError: the key is not a column of the table, or two rows with one key have different values.
        TableError: a file cannot be read or written.
        TableChanged: the table has another header than when the command began, or keeps changing. Nothing was written.
    """
    check_key(job, options.key)
    keep = job.spec.columns.formulas == "keep"
    with TemporaryDirectory(prefix="rowcite-") as folder:
        spool = Path(folder) / "changes"

        def spool_now(now: Job) -> DeltaSummary:
            changes = _spool(_ChangedRows(now, ledger, options), spool)
            check_unchanged(now)
            return changes

        with write_errors(str(target)):
            changes = with_table_of_now(job, spool_now)
            for name, own in delta_files(job, target, per_field=options.per_field):
                chosen = [column for column in own if changes.cells[column]]
                if options.per_field and not chosen:
                    continue
                headings = chosen if keep else map(without_formula, chosen)
                _write(spool, name, [options.key, *headings], chosen)
                changes.files.append(str(name))
    return changes


def delta_files(job: Job, target: Path, *, per_field: bool) -> Iterator[tuple[Path, list[str]]]:
    """Yield the files that may be written, with their columns."""
    columns = [job.spec.columns.prefix + item.name for item in fields(job.spec)]
    if not per_field:
        yield target, columns
        return
    taken: set[str] = set()
    for column in columns:
        name = re.sub(r"[^\w-]+", "_", column)
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        yield target.with_name(f"{target.stem}.{name}{target.suffix}"), [column]


# --- the changes ----------------------------------------------------------------------------------------


class _ChangedRows:
    """The changed rows of a table, by its ledger."""

    def __init__(self, job: Job, ledger: Ledger, options: DeltaOptions) -> None:
        self._job, self.options = job, options
        self._resolver = RowResolver(job.spec, job.reader.source.schema, ledger)
        self._columns = {item.name: job.spec.columns.prefix + item.name for item in self._resolver.fields}
        self._before = _Before(options, list(self._columns.values())) if options.against else None
        self._keep = job.spec.columns.formulas == "keep"
        self.summary = DeltaSummary()

    def rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the key of each changed row, with its new values by column."""
        for batch in self._job.reader.batches(self._job.question):
            keys = own_texts(batch.rows, [self.options.key]).to_series().to_list()
            for group in self._resolver.groups(batch.keys, batch.rows.frame):
                found = self._found(group)
                if group.resolved.status is RowStatus.PENDING:
                    self.summary.pending += len(group.rows)
                for row in group.rows if found else ():
                    yield from self._row(keys[row], found)

    def _row(self, key: Any, found: list[tuple[Field, Any, str]]) -> Iterator[tuple[str, dict[str, str]]]:
        text = "" if key is None else str(key).strip()
        if not text:
            self.summary.without_key += 1
            return
        values = {
            self._columns[item.name]: written
            for item, value, written in found
            if self._before is None
            or not self._before.has(text, self._columns[item.name], value, written, item.type)
        }
        if values:
            yield text, values

    def _found(self, group: RowGroup) -> list[tuple[Field, Any, str]]:
        """Return the fields of a group whose value differs from the input, with the value as the importer reads it."""
        found: list[tuple[Field, Any, str]] = []
        for item, cell in zip(self._resolver.fields, group.resolved.cells, strict=True):
            if not _is_found(cell) or (
                item.name in group.given and same(group.given[item.name], cell.value, item.type)
            ):
                continue
            written = _text(cell.value, self.options.importer, self._guarded)
            if written is None or written.strip().lower() == EMPTIES.get(self.options.importer or "hubspot"):
                self.summary.unrepresentable += 1
            elif written.strip():
                found.append((item, cell.value, written))
        return found

    def _guarded(self, text: str) -> str:
        if self._keep or not is_formula(text):
            return text
        self.summary.escaped += 1
        return without_formula(text)


def _is_found(cell: Cell) -> bool:
    return cell.rejection is None and cell.value is not None and cell.confidence != GIVEN


def _text(value: Any, importer: Importer | None, guarded: Callable[[str], str] = str) -> str | None:
    """Return a value as an importer reads it; None if it has no form for it. `guarded` is applied to each text in it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if (
        isinstance(value, list)
        and importer is not None
        and not any(isinstance(v, (dict, list)) for v in value)
    ):
        parts = [
            part for part in (_text(item, importer, guarded) for item in value if item is not None) if part
        ]
        return None if any(";" in part for part in parts) else ";".join(parts)  # both separate choices with ;
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return guarded(str(value))


class _Before:
    """The values of an earlier file by key."""

    def __init__(self, options: DeltaOptions, columns: list[str]) -> None:
        assert options.against is not None
        try:
            source = open_source(options.against, None, CsvOptions())
        except TableError as error:
            raise TableError(f"--against: {str(error).removesuffix(WHICH_INPUT)}") from error
        if options.key not in source.schema:
            hint = did_you_mean(options.key, source.schema, '"')
            raise UsageError(f'--against: {options.against} has no column "{options.key}", the key{hint}')
        there = {
            name: column
            for column in columns
            for name in (column, without_formula(column))
            if name in source.schema
        }
        if not there:
            raise UsageError(f"--against: {options.against} has none of the columns {', '.join(columns)}")
        self._rows: dict[str, Mapping[str, Any] | None] = {}
        for rows in source.batches():
            keys = own_texts(rows, [options.key]).to_series().to_list()
            for own, row in zip(
                keys, rows.frame.select(*there).rename(there).iter_rows(named=True), strict=True
            ):
                key = "" if own is None else str(own).strip()
                self._rows[key] = None if key in self._rows else row  # a duplicate key: ambiguous

    def has(self, key: str, column: str, value: Any, written: str, kind: FieldType) -> bool:
        """Return True if the file has this value for a key."""
        before = (self._rows.get(key) or {}).get(column)
        if before is None:
            return False
        forms = (  # the file may be for another importer
            _text(value, importer, guard) for importer in _IMPORTERS for guard in (str, without_formula)
        )
        return str(before) == written or str(before) in forms or same(before, value, kind)


# --- files -----------------------------------------------------------------------------------------------


def _spool(changes: _ChangedRows, spool: Path) -> DeltaSummary:
    """Write all changes to one temporary file, a line of JSON for each row, and count them."""
    summary, seen, problems = changes.summary, dict[bytes, bytes](), list[str]()
    with spool.open("w", encoding="utf-8") as file:
        for key, values in changes.rows():
            name, print_ = _digest(key), _digest(json.dumps(values))
            if name in seen:
                if seen[name] != print_:
                    problems.append(key)
                continue
            seen[name] = print_
            summary.rows += 1
            summary.cells.update(values.keys())
            summary.ids += bool(_ID.match(key))
            file.write(json.dumps([key, values]) + "\n")
    if problems:
        keys = list(dict.fromkeys(problems))
        more = f" and {len(keys) - _MOST_PROBLEMS:,} more" if len(keys) > _MOST_PROBLEMS else ""
        raise UsageError(
            f"rows with the same key have different values: {', '.join(keys[:_MOST_PROBLEMS])}{more}. An import would"
            " keep an arbitrary row. Choose a --key that identifies each record once"
        )
    return summary


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _write(spool: Path, target: Path, header: Iterable[str], columns: list[str]) -> None:
    """Write some columns of the spooled changes, for the rows with a value in any of them."""
    with spool.open(encoding="utf-8") as lines, atomic_write(target) as file:
        file.write(csv_line(header).encode())
        for line in lines:
            key, values = json.loads(line)
            cells = [values.get(column, "") for column in columns]
            if any(cells):
                file.write(csv_line([key, *cells]).encode())

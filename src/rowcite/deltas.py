"""Only what changed, for CRM imports: a key column and the fields that a run found, rows without a change left out.

Nothing is ever blanked by it: only accepted values that are not null are changes, and no value is written that an importer
reads as "empty this field".
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from rowcite.accept.judge import Cell
from rowcite.errors import TableError, UsageError
from rowcite.files import atomic_write, write_errors
from rowcite.ledger import Ledger
from rowcite.pipeline.job import Job
from rowcite.rows.given import GIVEN, same
from rowcite.rows.resolver import RowGroup, RowResolver
from rowcite.spec.fields import Field, FieldType, fields
from rowcite.spec.models import CsvOptions
from rowcite.table.formulas import is_formula
from rowcite.table.sources import open_source

Importer = Literal["hubspot", "salesforce"]
EMPTIES: dict[Importer, str] = {"salesforce": "#n/a"}
"""What an importer takes for "empty this field", in lower case."""

_MOST_PROBLEMS = 5
_ID = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?\Z")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a file of changes should be.

    `key` is the table's column that names a record. `against` is a CSV or Parquet file with the key and some of the
    fields, as an earlier file of changes: what stands there already is no change.
    """

    key: str
    importer: Importer | None = None
    against: str | None = None
    per_field: bool = False


@dataclass(slots=True)
class Changes:
    """What was written: `cells` counts changes by column, the rest is what was left out, and why."""

    rows: int = 0
    cells: Counter[str] = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)
    without_key: int = 0
    unrepresentable: int = 0
    escaped: int = 0
    ids: int = 0


def write_changes(job: Job, ledger: Ledger, wanted: Wanted, target: Path) -> Changes:
    """Write what changed as CSV in UTF-8; with `per_field` a file a field, named after it.

    The files appear whole or not at all. Memory grows by some 200 bytes for each row that changed.

    Raises:
        UsageError: the key is no column of the table, or two rows of one key say different things.
        TableError: a file cannot be read or written.
    """
    _check_key(job, wanted.key)
    columns = [job.spec.columns.prefix + item.name for item in fields(job.spec)]
    with TemporaryDirectory(prefix="rowcite-") as folder:
        spool = Path(folder) / "changes.csv"
        with write_errors(str(target)):
            changes = _spool(_Changes(job, ledger, wanted), columns, spool)
            for name, chosen in _files(target, [c for c in columns if changes.cells[c]], wanted):
                _write(spool, name, [wanted.key, *chosen])
                changes.files.append(str(name))
    return changes


def _check_key(job: Job, key: str) -> None:
    schema = job.reader.source.schema
    if key not in schema:
        raise UsageError(f'--key: column "{key}" is not in the table. Columns: {", ".join(schema)}')
    if key in {job.spec.columns.prefix + item.name for item in fields(job.spec)}:
        raise UsageError(f'--key: column "{key}" is filled by the spec. Name a column that nothing changes')


# --- what changed ----------------------------------------------------------------------------------------


class _Changes:
    """Reads the changes out of a table and its ledger, row by row."""

    def __init__(self, job: Job, ledger: Ledger, wanted: Wanted) -> None:
        self._job, self.wanted = job, wanted
        self._resolver = RowResolver(job.spec, job.reader.source.schema, ledger)
        self._columns = {item.name: job.spec.columns.prefix + item.name for item in self._resolver.fields}
        self._before = _Before(wanted, list(self._columns.values())) if wanted.against else None
        self.told = Changes()

    def rows(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield each row that changed: its key and its new values by column."""
        for batch in self._job.reader.batches(self._job.question):
            keys = batch.rows.frame[self.wanted.key].to_list()
            for item in self._resolver.groups(batch.keys, batch.rows.frame):
                found = self._found(item)
                for row in item.rows if found else ():
                    yield from self._row(keys[row], found)

    def _row(self, key: Any, found: list[tuple[Field, Any, str]]) -> Iterator[tuple[str, dict[str, str]]]:
        text = "" if key is None else str(key).strip()
        if not text:
            self.told.without_key += 1
            return
        values = {
            self._columns[item.name]: said
            for item, value, said in found
            if self._before is None
            or not self._before.has(text, self._columns[item.name], value, said, item.type)
        }
        if values:
            yield text, values

    def _found(self, item: RowGroup) -> list[tuple[Field, Any, str]]:
        """Return the fields of a question whose value is another than was given, as the importer reads them."""
        found: list[tuple[Field, Any, str]] = []
        for asked, cell in zip(self._resolver.fields, item.resolved.cells, strict=True):
            if not _counts(cell) or (
                asked.name in item.given and same(item.given[asked.name], cell.value, asked.type)
            ):
                continue
            said = _text(cell.value, self.wanted.importer)
            if said is None or said.strip().lower() == EMPTIES.get(self.wanted.importer or "hubspot"):
                self.told.unrepresentable += 1
            elif said.strip():
                found.append((asked, cell.value, self._guarded(said, cell.value)))
        return found

    def _guarded(self, said: str, value: Any) -> str:
        keep = self._job.spec.columns.formulas == "keep"
        if keep or not isinstance(value, str) or not is_formula(said):
            return said
        self.told.escaped += 1
        return f"'{said}"


def _counts(cell: Cell) -> bool:
    return cell.rejection is None and cell.value is not None and cell.confidence != GIVEN


def _text(value: Any, importer: Importer | None) -> str | None:
    """Return a value as an importer reads it; None when it has no form for it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if (
        isinstance(value, list)
        and importer is not None
        and not any(isinstance(v, (dict, list)) for v in value)
    ):
        parts = [part for part in (_text(item, importer) for item in value if item is not None) if part]
        return (
            None if any(";" in part for part in parts) else ";".join(parts)
        )  # the mark between choices, in both
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


class _Before:
    """What an earlier file says of each key."""

    def __init__(self, wanted: Wanted, columns: list[str]) -> None:
        assert wanted.against is not None
        try:
            source = open_source(wanted.against, None, CsvOptions())
        except TableError as error:
            raise TableError(f"--against: {str(error).split('. ')[0]}") from error
        if wanted.key not in source.schema:
            raise UsageError(f'--against: {wanted.against} has no column "{wanted.key}", the key')
        there = [column for column in columns if column in source.schema]
        if not there:
            raise UsageError(f"--against: {wanted.against} has none of the columns {', '.join(columns)}")
        self._rows: dict[str, Mapping[str, Any] | None] = {}
        for rows in source.batches():
            for row in rows.frame.select(wanted.key, *there).iter_rows(named=True):
                key = str(row.pop(wanted.key) or "").strip()
                self._rows[key] = None if key in self._rows else row  # twice there: nobody knows which counts

    def has(self, key: str, column: str, value: Any, said: str, kind: FieldType) -> bool:
        """Tell whether a key has a value already."""
        before = (self._rows.get(key) or {}).get(column)
        if before is None:
            return False
        forms = {
            said,
            _text(value, None),
            _text(value, "hubspot"),
        }  # the file may be for another importer, or for none
        return str(before) in forms or same(before, value, kind)


# --- files -----------------------------------------------------------------------------------------------


def _spool(changes: _Changes, columns: list[str], spool: Path) -> Changes:
    """Write all changes to one file with every column, which tells the columns and rows that have any."""
    told, seen, problems = changes.told, dict[bytes, bytes](), list[str]()
    with spool.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([changes.wanted.key, *columns])
        for key, values in changes.rows():
            name, print_ = _digest(key), _digest(json.dumps(values))
            if name in seen:
                if seen[name] != print_:
                    problems.append(key)
                continue
            seen[name] = print_
            told.rows += 1
            told.cells.update(values.keys())
            told.ids += bool(_ID.match(key))
            out.writerow([key, *(values.get(column, "") for column in columns)])
    if problems:
        shown = ", ".join(dict.fromkeys(problems[:_MOST_PROBLEMS]))
        raise UsageError(
            f"{len(problems):,} rows have the key of another row and other values, such as {shown}: an import would keep"
            " one of them by chance. Make the key column one that names each record once"
        )
    return told


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _files(target: Path, columns: list[str], wanted: Wanted) -> Iterator[tuple[Path, list[str]]]:
    if not wanted.per_field:
        yield target, columns
        return
    taken: set[str] = set()
    for column in columns:
        name = re.sub(r"[^\w-]+", "_", column)
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        yield target.with_name(f"{target.stem}.{name}{target.suffix}"), [column]


def _write(spool: Path, target: Path, columns: Iterable[str]) -> None:
    """Write some columns of the spooled changes, rows that have any of them."""
    chosen = list(columns)
    with spool.open(encoding="utf-8", newline="") as read, atomic_write(target) as file:
        lines = csv.reader(read)
        header = next(lines)
        places = [header.index(column) for column in chosen]
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        out = csv.writer(text, lineterminator="\n")
        out.writerow(chosen)
        for line in lines:
            if any(line[place] for place in places[1:]):
                out.writerow([line[place] for place in places])
        text.detach()

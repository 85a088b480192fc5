"""Decisions as CSV, one line a cell: decided and open ones, for a spreadsheet, a colleague or another ledger.

A text that a spreadsheet would run as a formula gets an apostrophe on export, which the import removes.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rowcite.errors import TableError, UsageError
from rowcite.inert import FORMULA, csv_line
from rowcite.model import Decision
from rowcite.report.facts import CellState, CellView, Facts, RowView
from rowcite.review.verdicts import VERDICTS, InvalidDecision, as_json, checked_note, corrected
from rowcite.rows.decisions import BLANK, as_type, made_on
from rowcite.spec import read_limits
from rowcite.spec.fields import Field
from rowcite.table.sources.csv_faults import field_size_limit
from rowcite.table.sources.csv_files import unique_names

COLUMNS = ("row", "name", "field", "found", "why", "verdict", "value", "note", "who", "at", "key")
# Numbers and texts with an apostrophe too, so that an import reads back what an export wrote.
_FORMULA = re.compile(f"'*(?:{FORMULA})")
_GUARDED = re.compile(f"'+(?:{FORMULA})")
_MOST_PROBLEMS = 10


@dataclass(slots=True)
class Imported:
    """The decisions of a CSV that are new to the ledger, and the number of lines that were not."""

    decisions: list[Decision] = field(default_factory=list)
    undecided: int = 0
    known: int = 0
    older: int = 0


def export_lines(facts: Facts, decisions: Iterable[Decision]) -> Iterator[str]:
    """Yield the lines of the CSV: every decision of every reviewer, and every cell of the page that is open."""
    yield _line(COLUMNS)
    made: dict[tuple[bytes, str], list[Decision]] = {}
    for decision in decisions:
        made.setdefault((decision.key, decision.field), []).append(decision)
    for row in sorted(facts.rows, key=lambda row: row.number):
        for item, cell in zip(facts.fields, row.cells, strict=False):
            if row.key is None:
                continue
            decided = made.pop((row.key, item.name), [])
            open_cell = [None] if not decided and _open(row, cell) else []
            for entry in (*decided, *open_cell):
                yield _line(_cells(row, cell, item, entry))
    for (key, name), rest in made.items():
        for decision in rest:
            yield _line(("", "", name, _decided_on(decision), "", *_decided(decision), key.hex()))


def read_decisions(
    path: Path,
    fields: Iterable[Field],
    known: Iterable[Decision],
    *,
    who: str,
    now: float,
) -> Imported:
    """Read a CSV of decisions. Lines without a verdict are ignored; if any other line is invalid, none is imported.

    `known` are the ledger's decisions: equal ones are not imported again, and lines with an older `at` than the same reviewer's
    decision on the cell are ignored, and lines without a reviewer that are older than any decision on it. `who` and `now` are the defaults.

    Raises:
        UsageError: invalid lines, each with its number.
        TableError: the file cannot be read.
    """
    named = {item.name: item for item in fields}
    last: dict[tuple[Any, ...], Decision] = {}
    for item in sorted(known, key=lambda made: made.at):
        last[item.key, item.field, item.who] = last[item.key, item.field] = item
    found, problems = Imported(), []
    for number, line in _lines(path):
        try:
            decision = _decision(line, named, who=who, now=now)
        except InvalidDecision as error:
            problems.append(f"{path}:{number}: {error}")
            continue
        if decision is None:
            found.undecided += 1
            continue
        who_of = (decision.who,) if line.get("who", "").strip() else ()  # without one: of any reviewer
        before = last.get((decision.key, decision.field, *who_of))
        own = last.get((decision.key, decision.field, decision.who))
        if _same(before if decision.verdict == "clear" else own, decision):
            found.known += 1
        elif before is not None and line.get("at") and decision.at < before.at:
            found.older += 1
        else:
            found.decisions.append(decision)
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        listed = [*problems[:_MOST_PROBLEMS], *([f"and {more:,} more lines"] if more > 0 else [])]
        raise UsageError(*listed, "Nothing was imported")
    return found


def _open(row: RowView, cell: CellView) -> bool:
    doubtful = cell.state in (CellState.REJECTED, CellState.LOW) or cell.given is not None
    return bool(row.reasons) and (doubtful or (cell.state is CellState.UNANSWERED and row.status == "failed"))


def _cells(row: RowView, cell: CellView, item: Field, decision: Decision | None) -> tuple[str, ...]:
    found = cell.found if cell.rejection is not None or cell.given is not None else cell.value
    shown = _decided_on(decision) if decision is not None else _shown(found)
    why = cell.rejection or (f"differs from {cell.given}" if cell.given is not None else "")
    why = why or ("low confidence" if cell.state is CellState.LOW else row.error or "")
    key = row.key.hex() if row.key else ""
    return (str(row.number), row.label, item.name, shown or _shown(found), why, *_decided(decision), key)


def _decided_on(decision: Decision) -> str:
    answer = made_on(decision)
    return "" if answer is None else _shown(json.loads(answer))


def _decided(decision: Decision | None) -> tuple[str, ...]:
    if decision is None:
        return ("",) * 5
    value = "" if decision.value is None else _shown(json.loads(decision.value))
    at = datetime.fromtimestamp(decision.at, UTC).isoformat(timespec="milliseconds")
    return (decision.verdict, value, decision.note or "", decision.who, at)


def _shown(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def _line(cells: Iterable[str]) -> str:
    return csv_line(f"'{text}" if _FORMULA.match(text) else text for text in cells)


# --- reading ---------------------------------------------------------------------------------------------


_NEEDED = ("key", "field", "verdict")


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file, field_size_limit(read_limits.ROW):
            text = csv.DictReader(file, strict=True, delimiter=_separator(file.readline(read_limits.ROW)))
            file.seek(0)
            unique_names(f"{path}:1", [name for name in text.fieldnames or () if name])
            missing = [name for name in _NEEDED if name not in (text.fieldnames or ())]
            if missing:
                raise UsageError(f"{path}: not a CSV of decisions: missing columns: {', '.join(missing)}")
            for line in text:
                if None in line or None in line.values():
                    raise UsageError(
                        f"{path}:{text.line_num}: the line and the header differ in their number of cells"
                    )
                yield text.line_num, {name: _bare(value) for name, value in line.items()}
    except csv.Error as error:
        raise TableError(
            f"{path}:{text.reader.line_num}: {error}. Is a quote closed too early, or never?"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise TableError(
            f"{path}: cannot read the file: {getattr(error, 'strerror', None) or error}"
        ) from error


def _separator(header: str) -> str:
    """Return what separates the names of a header: spreadsheets save `;` where the comma is the decimal sign."""
    names = header.strip().replace('"', "")
    return next((sign for sign in ";\t" if set(_NEEDED).issubset(names.split(sign))), ",")


def _bare(text: str) -> str:
    return text[1:] if _GUARDED.match(text) else text


def _decision(line: dict[str, str], fields: Mapping[str, Field], *, who: str, now: float) -> Decision | None:
    verdict = line["verdict"].strip().lower()
    if not verdict:
        return None
    if verdict not in VERDICTS:
        raise InvalidDecision(f'"{verdict}" is not a verdict. Use {", ".join(VERDICTS)}, or leave it empty')
    if line["field"] not in fields:
        raise InvalidDecision(f'unknown field "{line["field"]}". Fields: {", ".join(fields)}')
    try:
        key = bytes.fromhex(line["key"])
    except ValueError:
        key = b""
    if len(key) != 16:
        raise InvalidDecision("the key must be the 32 hexadecimal digits of the export")
    return Decision(
        key,
        line["field"],
        verdict,
        _value(line.get("value", ""), verdict, fields[line["field"]]),
        line.get("who", "").strip() or who,
        _when(line.get("at", ""), now),
        checked_note(line.get("note", "")),
        _answer(line.get("found", ""), verdict, fields[line["field"]]),
    )


def _answer(text: str, verdict: str, item: Field) -> str | None:
    """Return the answer that a line's decision is about, as JSON; None if the line has none."""
    if verdict == "clear" or not text.strip():
        return None
    return as_json(as_type(_parsed(text, item), item.type))


def _parsed(text: str, item: Field) -> Any:
    """Return a text as its field's value: texts and dates as they are, other types as JSON, else as text."""
    if item.type.kind in ("string", "json", "date"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _value(text: str, verdict: str, item: Field) -> str | None:
    """Return a line's value as JSON."""
    if verdict in ("clear", BLANK) or (verdict != "correct" and not text.strip()):
        return None
    if not text.strip():
        raise InvalidDecision("`correct` needs a value")
    return corrected(_parsed(text, item), item)


def _when(text: str, now: float) -> float:
    if not text.strip():
        return now
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InvalidDecision(f'"{text}" is not a time such as 2026-01-31T09:30:00+00:00') from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _same(one: Decision | None, other: Decision) -> bool:
    if one is None:
        return other.verdict == "clear"
    return (one.verdict, one.value, one.note) == (other.verdict, other.value, other.note)

"""Rows and outcomes to columns: what is added to a batch of rows.

Answers are judged once a task and spread over its rows; what was judged is kept for later rows while memory allows. In
native tables (Parquet, JSONL, frames) lists and objects stay what they are; in CSV they are JSON text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

import msgspec
import polars as pl

from rowcite.acceptance import Cell, judge, refusals
from rowcite.answers import answer
from rowcite.model import RowStatus, RunState
from rowcite.reader import Batch
from rowcite.records import Held
from rowcite.schema import STATUS_COLUMNS, Field, FieldType, column_names, fields
from rowcite.source import Rows
from rowcite.spec import Spec
from rowcite.standard import Standard, standard

_CITATION = pl.Struct({"url": pl.String, "title": pl.String, "excerpts": pl.List(pl.String)})
_DTYPES: dict[str, pl.DataType] = {
    "string": pl.String(),
    "json": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}
_KEY = "rowcite_key"  # beside the added columns, none of which is called so
_PLACE = "place"
_AT_ONCE = 5_000  # answers that are Python objects at a time
_SPACE = re.compile(r"\s")
_FORMULA = r"^[=+\-@\t\r]"
# Signs that begin a number or a phone number: +49 30 1234, -12.5, +1,200.
_HARMLESS = r"^[+\-]\d[\d,]*(\.\d+)?([eE][+\-]?\d+)?$|^\+\d[\d\s()./\-]*$"


def added_schema(spec: Spec, *, native: bool) -> pl.Schema:
    """Return the columns that a spec adds to a table, with their types, in their order."""
    schema: dict[str, pl.DataType] = {}
    for field in fields(spec):
        names = column_names(spec, field.name)
        schema |= dict(zip(names, _dtypes(spec, field, native=native), strict=True))
    return pl.Schema({**schema, **dict.fromkeys(STATUS_COLUMNS, pl.String())})


def added(batch: Batch, held: Iterable[Held], spec: Spec, *, native: bool) -> pl.DataFrame:
    """Return the added columns for a batch of rows, given what the ledger holds for its tasks."""
    return Merge(spec, lambda _: held, native=native).columns(batch)


class Merge:
    """Puts the added columns beside one batch of rows after another.

    `held` gives what the ledger holds for some tasks. What was judged stays in memory up to `room` bytes, so that a
    task of many rows is judged once, and memory does not grow with the table.
    """

    def __init__(
        self,
        spec: Spec,
        held: Callable[[list[bytes]], Iterable[Held]],
        *,
        native: bool,
        room: int = 256 << 20,
    ) -> None:
        self._spec, self._held, self._native, self._room = spec, held, native, room
        self._asked = fields(spec)
        self._standard, self._today = standard(self._asked, spec.accept), datetime.now(UTC).date()
        self.schema = added_schema(spec, native=native)
        self._empty = pl.DataFrame(schema={**self.schema, _KEY: pl.Binary})
        self._found, self._known = self._empty, set[bytes]()

    def columns(self, batch: Batch) -> pl.DataFrame:
        """Return the added columns for a batch of rows."""
        places = self._places(batch)
        return self._part(batch, places, 0, batch.keys.len())

    def parts(self, batch: Batch, rows: int = 20_000) -> Iterator[tuple[Rows, pl.DataFrame]]:
        """Yield a batch some rows at a time, with the added columns: wide text for many rows is a lot of memory."""
        places = self._places(batch)
        for start in range(0, batch.keys.len(), rows):
            yield batch.rows.slice(start, rows), self._part(batch, places, start, rows)

    def _places(self, batch: Batch) -> pl.Series:
        """Return where in `_found` each row's task stands; null where nothing is held for it."""
        self._learn(batch.keys.drop_nulls().unique(maintain_order=True).to_list())
        found = self._found.select(_KEY).with_row_index(_PLACE)
        return batch.keys.to_frame(_KEY).join(found, on=_KEY, how="left", maintain_order="left")[_PLACE]

    def _part(self, batch: Batch, places: pl.Series, start: int, rows: int) -> pl.DataFrame:
        picked = places.slice(start, rows)
        spread = self._found.drop(_KEY)
        spread = spread.select(pl.all().gather(picked)) if spread.height else spread.clear(picked.len())
        status, why = batch.status.slice(start, rows), batch.why.slice(start, rows)
        return spread.with_columns(
            pl.coalesce(status, "rowcite_status", pl.lit(RowStatus.PENDING.value)).alias("rowcite_status"),
            pl.coalesce(why, "rowcite_error").alias("rowcite_error"),
        )

    def _learn(self, keys: list[bytes]) -> None:
        """Judge what is held for tasks that are not known yet."""
        if self._found.estimated_size() > self._room:
            self._found, self._known = self._empty, set()
        new = [key for key in keys if key not in self._known]
        if new:
            self._found = pl.concat([self._found, *(self._judged(some) for some in _cut(new))])
            self._known.update(new)

    def _judged(self, keys: list[bytes]) -> pl.DataFrame:
        records = [
            _record(item, self._asked, self._spec, self._standard, self._today, native=self._native)
            for item in self._held(keys)
        ]
        found = pl.DataFrame([record for _, record in records], schema=self.schema, orient="row")
        found = found.with_columns(pl.Series(_KEY, [key for key, _ in records], dtype=pl.Binary))
        if self._native or self._spec.columns.formulas == "keep":
            return found
        return found.with_columns(_guarded(name) for name, kind in self.schema.items() if kind == pl.String)


def _cut(keys: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]


def _guarded(name: str) -> pl.Expr:
    """Put an apostrophe before what a spreadsheet would run as a formula."""
    column = pl.col(name)
    runs = column.str.contains(_FORMULA) & ~column.str.contains(_HARMLESS)
    return pl.when(runs).then(pl.concat_str(pl.lit("'"), column)).otherwise(column).alias(name)


def _dtypes(spec: Spec, field: Field, *, native: bool) -> list[pl.DataType]:
    citation: pl.DataType = _CITATION if spec.columns.citations == "full" else pl.String()
    return [
        dtype(field.type) if native or field.type.kind not in ("array", "object") else pl.String(),
        *([pl.String()] if spec.columns.confidence else []),
        *([pl.List(citation) if native else pl.String()] if spec.columns.citations != "none" else []),
        *([pl.String()] if spec.columns.reasoning else []),
    ]


def dtype(kind: FieldType) -> pl.DataType:
    """Return the polars type of a field's column in a native table."""
    if kind.kind == "array":
        assert kind.items is not None
        return pl.List(dtype(kind.items))
    if kind.kind == "object":
        return pl.Struct({name: dtype(part) for name, part in kind.properties})
    return _DTYPES[kind.kind]


def _record(  # noqa: PLR0913 - what a row is made of
    held: Held, asked: tuple[Field, ...], spec: Spec, held_to: Standard, today: date, *, native: bool
) -> tuple[bytes, list[Any]]:
    """Return a task's key and its values for all added columns."""
    empty = [None] * sum(len(column_names(spec, field.name)) for field in asked)
    who = (held.processor, held.run_id)
    if held.state in (RunState.INTENDED, RunState.SUBMITTED):
        return held.key, [*empty, RowStatus.PENDING, None, *who]
    if held.state is not RunState.COMPLETED or held.output is None:
        ref = f" (ref_id {held.ref_id})" if held.ref_id and held.ref_id not in (held.error or "") else ""
        return held.key, [
            *empty,
            RowStatus.FAILED,
            f"{held.state}: {held.error or 'the API gave no reason'}{ref}",
            *who,
        ]
    try:
        cells = judge(answer(held.run_id or "", held.processor, held.output), held_to, today)
    except ValueError as error:
        return held.key, [*empty, RowStatus.REJECTED, str(error), *who]
    refused = refusals(cells, asked)
    values = [value for cell in cells for value in _values(cell, spec, native=native)]
    status = RowStatus.REJECTED if refused else RowStatus.COMPLETED
    return held.key, [*values, status, "; ".join(refused) or None, *who]


def _values(cell: Cell, spec: Spec, *, native: bool) -> list[Any]:
    value = cell.value
    if not native and isinstance(value, (list, dict)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return [
        value,
        *([cell.confidence] if spec.columns.confidence else []),
        *([_citations(cell, spec, native=native)] if spec.columns.citations != "none" else []),
        *([cell.reasoning] if spec.columns.reasoning else []),
    ]


def _citations(cell: Cell, spec: Spec, *, native: bool) -> Any:
    if spec.columns.citations == "full":
        full = [
            {**msgspec.structs.asdict(citation), "excerpts": list(citation.excerpts)}
            for citation in cell.citations
        ]
        return full if native else (json.dumps(full, ensure_ascii=False) if full else None)
    urls = list(
        dict.fromkeys(_SPACE.sub(lambda space: quote(space[0]), citation.url) for citation in cell.citations)
    )
    return urls if native else (" ".join(urls) or None)

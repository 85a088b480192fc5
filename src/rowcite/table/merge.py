"""Rows and outcomes to columns: what is added to a table's rows, and which of their own cells are filled.

What a task came to is settled once and spread over its rows; it is kept for later rows while memory allows. In
native tables (Parquet, JSONL, frames) lists and objects stay what they are; in CSV they are JSON text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
import polars as pl
import pyarrow as pa

from rowcite.accept.policy import acceptance_policy
from rowcite.model import Citation, Decision, RowStatus, RunState, StoredRun
from rowcite.rows.given import GIVEN, is_blank, without_blanks
from rowcite.rows.plain_answers import FastDecoder
from rowcite.rows.resolve import ResolvedRow, resolve
from rowcite.spec.fields import fields
from rowcite.spec.models import Spec
from rowcite.table.columns import added_schema, dtype, filled_columns
from rowcite.table.filled import filled
from rowcite.table.formulas import guarded
from rowcite.table.reader import Batch
from rowcite.table.sources import Rows

_KEY, _PLACE = "\0key", "\0place"  # beside the table's columns, none of which is called so
_FOUND = "\0found "
_ROWS = 20_000  # that are put together at a time: wide text for many rows is a lot of memory
_AT_ONCE = 5_000  # answers that are Python objects at a time
_text_of = json.JSONEncoder(
    ensure_ascii=False, default=str
).encode  # `json.dumps` would make one for each value
_SPACE = re.compile(r"\s")


class RunStore(Protocol):
    """What is known of tasks: the ledger."""

    def runs_by_task(self, keys: Iterable[bytes], /) -> Iterator[list[StoredRun]]:
        """Yield every run of each task that has one, oldest first."""

    def decisions(self, keys: Iterable[bytes], /) -> Mapping[bytes, Mapping[str, Decision]]:
        """Return what people said of the tasks' cells, by task and field."""


class Merge:
    """Puts what was found beside one batch of rows after another.

    What was settled stays in memory up to `room` bytes, so that a task of many rows is settled once, and memory does not
    grow with the table.
    """

    def __init__(
        self, spec: Spec, table: pl.Schema, known: RunStore, *, native: bool, room: int = 256 << 20
    ) -> None:
        self._spec, self._known, self._native, self._room = spec, known, native, room
        self._fields, self._table = fields(spec), table
        self._policy, self._today = acceptance_policy(self._fields, spec.accept), datetime.now(UTC).date()
        full = spec.columns.citations == "full"
        self._cite = (
            partial(_citations, full=full, native=native) if spec.columns.citations != "none" else None
        )
        self._fast_decoder = FastDecoder(
            self._policy,
            self._today,
            text_of=None if native else _text_of,
            confidence=spec.columns.confidence,
            cite=self._cite,
            reasoning=spec.columns.reasoning,
        )
        self._filled = filled_columns(spec, table)
        self._blank = {name: is_blank(name, table[name], spec.input.csv.null_values) for name in self._filled}
        self.schema = added_schema(spec, table, native=native)
        replaced = {
            _FOUND + name: _as_found(table[name], field.type, native=native)
            for name, field in self._filled.items()
        }
        self._record_schema = pl.Schema({**replaced, **self.schema})
        self._ids = {_KEY: pl.Binary(), **{name: table[name] for name in self._filled}}
        self._settled = pl.DataFrame(schema={**self._ids, **self._record_schema})

    def parts(self, batch: Batch) -> Iterator[tuple[Rows, pl.DataFrame]]:
        """Yield a batch's rows, some at a time, with the columns that are added to them."""
        ids = batch.keys.to_frame(_KEY)
        if self._filled:
            own = without_blanks(self._filled, self._table, self._spec.input.csv.null_values)
            ids = ids.hstack(batch.rows.frame.select(own))
        self._learn(ids.filter(pl.col(_KEY).is_not_null()).unique(maintain_order=True))
        on = list(self._ids)
        places = self._settled.select(on).with_row_index(_PLACE)
        place = ids.join(places, on=on, how="left", nulls_equal=bool(self._filled), maintain_order="left")[
            _PLACE
        ]
        place = place.zip_with(batch.keys.is_not_null(), pl.Series([None], dtype=place.dtype))
        for start in range(0, place.len(), _ROWS):
            rows, said = batch.rows.slice(start, _ROWS), self._spread(place.slice(start, _ROWS))
            yield self._filled_in(rows, said), self._added(batch, rows, start, said)

    def columns(self, batch: Batch) -> pl.DataFrame:
        """Return the added columns for a batch of rows."""
        return pl.concat([pl.DataFrame(schema=self.schema), *(added for _, added in self.parts(batch))])

    # --- tasks ---------------------------------------------------------------------------------------

    def _learn(self, ids: pl.DataFrame) -> None:
        """Settle what is not settled yet of these tasks, each with what its rows were given."""
        if self._settled.estimated_size() > self._room:
            self._settled = self._settled.clear()
        on = list(self._ids)
        new = (
            ids.join(self._settled.select(on), on=on, how="anti", nulls_equal=True)
            if self._settled.height
            else ids
        )
        if new.height:
            parts = (self._settle(new.slice(start, _AT_ONCE)) for start in range(0, new.height, _AT_ONCE))
            self._settled = pl.concat(
                [self._settled, *parts], rechunk=True
            )  # once, not with each look into it

    def _settle(self, ids: pl.DataFrame) -> pl.DataFrame:
        keys = ids[_KEY].to_list()
        runs = {held[0].key: held for held in self._known.runs_by_task(keys)}
        said = self._known.decisions(keys)
        records = []
        for key, *given in ids.iter_rows():
            held = runs.get(key, [])
            record = None if self._filled or key in said else self._plain(held)
            if record is None:
                record = self._record(self._resolved(held, given, said.get(key)))
            records.append(record)
        found = _frame(records, self._record_schema)
        if not self._native and self._spec.columns.formulas == "escape":
            found = found.with_columns(
                guarded(name) for name, kind in self._record_schema.items() if kind == pl.String
            )
        return ids.hstack(found)

    def _resolved(
        self, held: list[StoredRun], given: Sequence[Any], decisions: Mapping[str, Decision] | None
    ) -> ResolvedRow:
        own = {
            field.name: value
            for field, value in zip(self._filled.values(), given, strict=True)
            if value is not None
        }
        overwrite = self._spec.columns.existing == "overwrite"
        return resolve(held, self._policy, self._today, given=own, overwrite=overwrite, decisions=decisions)

    def _plain(self, held: list[StoredRun]) -> list[Any] | None:
        """Return the values of all columns for a task with one answer that nothing is to be decided about."""
        run = held[0] if len(held) == 1 else None
        if run is None or not run.first or run.state is not RunState.COMPLETED or run.output is None:
            return None
        record = self._fast_decoder.read(run.output)
        return (
            None
            if record is None
            else [*record, RowStatus.COMPLETED, None, run.processor, run.run_id or None]
        )

    def _record(self, row: ResolvedRow) -> list[Any]:
        """Return the values of all columns for one task."""
        columns = self._spec.columns
        replacing: list[Any] = []
        record: list[Any] = []
        unfit: list[str] = []
        for field, cell in zip(self._fields, row.cells, strict=True):
            name, value = columns.prefix + field.name, cell.value
            own = self._table.get(name) if name in self._filled else None
            if isinstance(value, (list, dict)) and (not self._native or own == pl.String):
                value = _text_of(value)
            if own is None:
                record.append(value)
            else:
                counts = value is not None and cell.refused is None and cell.confidence != GIVEN
                if counts and not _fits(value, own):
                    unfit.append(f"{field.name}: {value} is too large for the column's type {own}")
                    counts = False
                replacing.append(value if counts else None)
            if columns.confidence:
                record.append(cell.confidence)
            if self._cite is not None:
                record.append(self._cite(cell.citations))
            if columns.reasoning:
                record.append(cell.reasoning)
        status = RowStatus.REJECTED if unfit and row.status is RowStatus.COMPLETED else row.status
        error = "; ".join(filter(None, [row.error, *unfit])) or None
        who = (" ".join(row.processors) or None, " ".join(row.run_ids) or None)
        return [*replacing, *record, status, error, *who]

    # --- rows ----------------------------------------------------------------------------------------

    def _spread(self, place: pl.Series) -> pl.DataFrame:
        """Return what each row's task came to; nulls where nothing is asked."""
        settled = self._settled.select(self._record_schema.names())
        return settled.select(pl.all().gather(place)) if settled.height else settled.clear(place.len())

    def _added(self, batch: Batch, rows: Rows, start: int, said: pl.DataFrame) -> pl.DataFrame:
        status, why = batch.status.slice(start, _ROWS), batch.why.slice(start, _ROWS)
        added = said.select(self.schema.names()).with_columns(
            pl.coalesce(status, "rowcite_status", pl.lit(RowStatus.PENDING.value)).alias("rowcite_status"),
            pl.coalesce(why, "rowcite_error").alias("rowcite_error"),
        )
        if not self._spec.columns.confidence:
            return added
        aside = status.is_not_null()
        given = rows.frame.select((~self._blank[name]).alias(name) for name in self._filled)
        return added.with_columns(  # of rows that nothing is asked about
            pl.when(aside & given[name])
            .then(pl.lit(GIVEN))
            .otherwise(pl.col(f"{name}_confidence"))
            .alias(f"{name}_confidence")
            for name in self._filled
        )

    def _filled_in(self, rows: Rows, said: pl.DataFrame) -> Rows:
        """Put found values into the table's own columns; where there is none the cell stays as it is."""
        if not self._filled:
            return rows
        found = [
            said[_FOUND + name].alias(name).cast(rows.frame.schema[name], strict=False)
            for name in self._filled
        ]
        return filled(rows, pl.DataFrame(found))


def _frame(records: list[list[Any]], schema: pl.Schema) -> pl.DataFrame:
    """Return rows as a frame. By column: row by row polars takes some times as long."""
    columns = zip(*records, strict=True) if records else ([] for _ in schema)
    return pl.DataFrame(
        [_series(name, values, kind) for values, (name, kind) in zip(columns, schema.items(), strict=True)]
    )


def _series(name: str, values: Sequence[Any], kind: pl.DataType) -> pl.Series:
    if not kind.is_nested():
        return pl.Series(name, values, kind)
    form = pl.Series([], dtype=kind).to_arrow().type  # polars takes lists one by one, Arrow all at once
    return pl.Series(name, pa.array(values, form), kind)


def _fits(value: Any, column: pl.DataType) -> bool:
    """Tell whether a whole number is within what a column of the table can hold."""
    if not column.is_integer():
        return True
    least, most = pl.select(least=column.min(), most=column.max()).row(0)  # type: ignore[attr-defined]
    return bool(least <= value <= most)


def _as_found(column: pl.DataType, kind: Any, *, native: bool) -> pl.DataType:
    """Return the type of found values on their way into a column of the table."""
    found = dtype(kind)
    return pl.String() if found.is_nested() and (not native or column == pl.String) else found


def _citations(citations: Sequence[Citation], *, full: bool, native: bool) -> Any:
    if full:
        said = [
            {**msgspec.structs.asdict(citation), "excerpts": list(citation.excerpts)}
            for citation in citations
        ]
        return said if native else (_text_of(said) if said else None)
    urls = [citation.url for citation in citations]
    text = " ".join(urls)
    if len(text.split()) != len(urls) or len(set(urls)) != len(urls):  # rare: a space in one, or one twice
        urls = list(dict.fromkeys(_SPACE.sub(lambda space: quote(space[0]), url) for url in urls))
        text = " ".join(urls)
    return urls if native else (text or None)

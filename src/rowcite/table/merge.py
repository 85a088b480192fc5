"""Resolved rows to columns: the columns that are added to a table's rows, and the cells of the table that are filled.

A task is resolved once and its columns are spread over its rows; they are kept for later rows while memory allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import polars as pl
import pyarrow as pa

from rowcite.model import RowStatus
from rowcite.rows.given import GIVEN, is_blank
from rowcite.rows.resolver import CHUNK, KEY, RowResolver, RunStore
from rowcite.spec.models import Spec
from rowcite.table.columns import FOUND, ColumnLayout, without_formulas
from rowcite.table.processes import FrameProcesses, Function
from rowcite.table.reader import Batch
from rowcite.table.sources import Rows
from rowcite.table.sources.members import edited

_PLACE = "\0place"
_UNUSED = 8
"""Resolved tasks that the next rows do not have are dropped beyond this part (1/8) of the memory for them."""
_ROWS = 20_000  # rows joined at a time: wide text for many rows takes a lot of memory


class Merge:
    """Joins one batch of rows after another with the columns of their tasks.

    Columns of resolved tasks stay in memory up to `room` bytes, so that a task of many rows is resolved once and memory
    does not grow with the table. With `open_runs`, which opens the ledger in another process, many tasks are resolved on
    several cores; close the merge then. `day` is the day that the age of evidence counts from, by default today.
    """

    def __init__(  # noqa: PLR0913 - the form of a table, by name
        self,
        spec: Spec,
        table: pl.Schema,
        ledger: RunStore,
        *,
        native: bool,
        workbook: bool = False,
        room: int = 256 << 20,
        open_runs: Callable[[], RunStore] | None = None,
        day: date | None = None,
    ) -> None:
        self._spec, self._room = spec, room
        self._layout = ColumnLayout(spec, table, native=native, workbook=workbook)
        self._resolver = RowResolver(spec, table, ledger, texts=self._layout.shows_texts, day=day)
        self._processes: FrameProcesses | None = None
        if open_runs is not None:
            form = {"native": native, "workbook": workbook, "day": self._resolver.day}
            self._processes = FrameProcesses(partial(_columns_function, spec, table, open_runs, **form))
        self._given = list(self._layout.given)
        self._has_value = [~is_blank(name, table[name], spec.input.csv.null_values) for name in self._given]
        self._guarded = [
            column.name
            for column in self._layout.columns
            if column.dtype == pl.String and self._layout.escapes
        ]
        self._ids = {KEY: pl.Binary(), **{name: table[name] for name in self._given}}
        self._resolved = pl.DataFrame(schema={**self._ids, **self._layout.full_schema})

    def close(self) -> None:
        """End the processes that were started."""
        if self._processes is not None:
            self._processes.close()

    def parts(self, batch: Batch) -> Iterator[tuple[Rows, pl.DataFrame]]:
        """Yield a batch's rows, some at a time, with the columns that are added to them."""
        ids = self._resolver.identify(batch.keys, batch.rows.frame)
        self._resolve(ids.filter(pl.col(KEY).is_not_null()).unique(maintain_order=True))
        place = self._place(ids)
        for start in range(0, place.len(), _ROWS):
            rows, found = batch.rows.slice(start, _ROWS), self._spread(place.slice(start, _ROWS))
            yield self._filled(rows, found), self._added(batch, rows, start, found)

    # --- tasks ---------------------------------------------------------------------------------------

    def _resolve(self, ids: pl.DataFrame) -> None:
        """Resolve those of `ids` that are not resolved yet."""
        on, size = list(self._ids), self._resolved.estimated_size()
        new = ids.join(self._resolved.select(on), on=on, how="anti", nulls_equal=True)
        if size > self._room or (size > self._room // _UNUSED and 0 < new.height == ids.height):
            self._resolved, new = self._resolved.clear(), ids
        if new.height:
            slices = new.iter_slices(CHUNK)
            parts = (
                map(self.columns, slices)
                if self._processes is None
                else self._processes.map(self.columns, slices, new.height)
            )
            self._resolved = pl.concat([self._resolved, *parts], rechunk=True)  # once, not at each look-up

    def columns(self, ids: pl.DataFrame) -> pl.DataFrame:
        """Return `ids`, distinct rows of `RowResolver.identify` that have a key, with the columns that they resolve to."""
        found = self._layout.frame(self._resolver.resolve_columns(ids))
        return ids.hstack(without_formulas(found, self._guarded))

    # --- rows ----------------------------------------------------------------------------------------

    def _place(self, ids: pl.DataFrame) -> pl.Series:
        """Return where each row's columns are among the resolved; null for a row without a task."""
        on = list(self._ids)
        places = self._resolved.select(on).with_row_index(_PLACE)
        place = ids.join(places, on=on, how="left", nulls_equal=bool(self._given), maintain_order="left")[
            _PLACE
        ]
        return place.zip_with(ids[KEY].is_not_null(), pl.Series([None], dtype=place.dtype))

    def _spread(self, place: pl.Series) -> pl.DataFrame:
        resolved = self._resolved.select(self._layout.full_schema.names())
        return resolved.select(pl.all().gather(place)) if resolved.height else resolved.clear(place.len())

    def _added(self, batch: Batch, rows: Rows, start: int, found: pl.DataFrame) -> pl.DataFrame:
        status, why = batch.status.slice(start, _ROWS), batch.why.slice(start, _ROWS)
        added = found.select(self._layout.schema.names()).with_columns(
            pl.coalesce(status, "rowcite_status", pl.lit(RowStatus.PENDING.value)).alias("rowcite_status"),
            pl.coalesce(why, "rowcite_error").alias("rowcite_error"),
        )
        if self._guarded:
            added = without_formulas(added, ["rowcite_error"])  # a reason may begin with a column's name
        if not self._spec.columns.confidence:
            return added
        without_task = status.is_not_null()
        has_value = rows.frame.select(self._has_value)
        return added.with_columns(
            pl.when(without_task & has_value[name])
            .then(pl.lit(GIVEN))
            .otherwise(pl.col(f"{name}_confidence"))
            .alias(f"{name}_confidence")
            for name in self._given
        )

    def _filled(self, rows: Rows, found: pl.DataFrame) -> Rows:
        """Put found values into the table's own columns; where there is none the cell stays as it is."""
        if not self._given:
            return rows
        values = pl.DataFrame([found[FOUND + name].alias(name) for name in self._given])
        return replace(_fill(rows, values), found=values)


def _columns_function(
    spec: Spec, table: pl.Schema, open_runs: Callable[[], RunStore], **form: Any
) -> Function:
    """Return the function `Merge.columns` of another process."""
    return Merge(spec, table, open_runs(), **form).columns


def _fill(rows: Rows, found: pl.DataFrame) -> Rows:
    """Return the rows with found values in place of their own, in every form of the rows: frame, Arrow table, JSON lines.

    `found` has some of the rows' columns. A null leaves a cell as it is.
    """
    changed = [name for name in found.columns if found[name].null_count() < found.height]
    if not changed:
        return rows
    types = rows.frame.schema
    typed = (found[name].cast(types[name], strict=False) for name in changed)
    frame = rows.frame.with_columns(
        column.zip_with(column.is_not_null(), rows.frame[column.name]) for column in typed
    )
    arrow = rows.arrow
    for name in changed if arrow is not None else ():
        assert arrow is not None
        place = arrow.schema.get_field_index(name)
        column = _as_arrow(frame[name], arrow.column(place))
        arrow = arrow.set_column(place, arrow.schema.field(place), column)
    lines = rows.lines
    if lines is not None:
        lines = [
            edited(line, {name: value for name, value in values.items() if value is not None})
            for line, values in zip(lines, found.select(changed).iter_rows(named=True), strict=True)
        ]
    return Rows(frame, arrow, lines, _filled_kinds(rows.kinds, found.select(changed)))


def _filled_kinds(kinds: pl.DataFrame | None, found: pl.DataFrame) -> pl.DataFrame | None:
    """Return the kinds of cells where found values are in place of some."""
    if kinds is None:
        return None
    return kinds.with_columns(
        kinds[name].zip_with(found[name].is_null(), pl.Series([0], dtype=pl.UInt8))
        for name in found.columns
        if name in kinds.columns
    )


def _as_arrow(values: pl.Series, before: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return values as a column of the type that they have in an Arrow table. New categories follow those of `before`."""
    kind = before.type
    if not pa.types.is_dictionary(kind):
        return pa.chunked_array([values.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(kind)])
    import pyarrow.compute as pc  # takes 35 ms

    texts = values.cast(pl.String).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(kind.value_type)
    own = [part.dictionary for part in before.unify_dictionaries().chunks[:1]]
    categories = pa.chunked_array([*own, texts.drop_null()], kind.value_type).unique()
    places = pc.index_in(texts, categories).cast(kind.index_type)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(places, categories, ordered=kind.ordered)])

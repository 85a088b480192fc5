"""The one way from the ledger to a row's cells: the table, escalation, explain, report, review and deltas all use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, Protocol

import msgspec
import polars as pl

from rowcite.accept.policy import AcceptancePolicy, acceptance_policy
from rowcite.model import Decision, RowStatus, StoredRun
from rowcite.progress import count_read
from rowcite.rows.columns import ResolvedColumns, StoredRow, resolve_accepted
from rowcite.rows.given import GIVEN, fits, given_columns, without_blanks
from rowcite.rows.resolve import ResolvedRow, resolve
from rowcite.spec.fields import Field, fields
from rowcite.spec.models import Spec

KEY = "\0key"
"""The name of the task keys' column; no column of a table has it."""

_ROWS = "\0rows"
CHUNK = 2_000
"""The number of tasks whose answers are in memory at the same time."""
_READ = 64  # rows whose answers are read together
# Bytes of answers that are resolved together: what they become stays in the processor's cache.
_CACHE = 256 << 10


class RunStore(Protocol):
    """The part of the ledger that resolving reads."""

    def runs_by_task(self, keys: Iterable[bytes], /) -> Iterator[list[StoredRun]]:
        """Yield every run of each task that has one, oldest first."""

    def decisions(self, keys: Iterable[bytes], /) -> Mapping[bytes, Mapping[str, Decision]]:
        """Return people's decisions on these tasks, by task and field."""


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows of a batch that resolve alike: they have the same task and the same given values.

    `rows` are their places in the batch, `given` their values by field, `runs` the task's runs, oldest first.
    """

    key: bytes
    rows: list[int]
    given: Mapping[str, Any]
    decisions: Mapping[str, Decision]
    runs: Sequence[StoredRun]
    resolved: ResolvedRow


class RowResolver:
    """Resolves the rows of one table under one spec.

    Without `decided` the decisions of people are left out. Without `texts` the evidence may lack reasonings, titles and
    excerpts: to read them takes half the time of an answer. `day` is the day that the age of evidence counts from, by default today.
    """

    def __init__(  # noqa: PLR0913 - the sources of a row, by name
        self,
        spec: Spec,
        table: pl.Schema,
        ledger: RunStore,
        *,
        decided: bool = True,
        texts: bool = True,
        day: date | None = None,
    ) -> None:
        self.fields: tuple[Field, ...] = fields(spec)
        self.policy: AcceptancePolicy = acceptance_policy(self.fields, spec.accept)
        self.day: date = day or datetime.now(UTC).date()
        self.given_columns = given_columns(spec, table)
        self._ledger, self._decided = ledger, decided
        self._overwrite = spec.columns.existing == "overwrite"
        self._texts = texts or self.policy.reads_texts
        self._own_values = without_blanks(self.given_columns, table, spec.input.csv.null_values)
        self._types = {field.name: table[column] for column, field in self.given_columns.items()}

    def resolve(
        self,
        runs: Sequence[StoredRun],
        given: Mapping[str, Any] | None = None,
        decisions: Mapping[str, Decision] | None = None,
    ) -> ResolvedRow:
        """Return a row's cells and status.

        `runs` are all runs that were made for the row, oldest first. `given` has the row's own values by field, blanks
        left out. `decisions` are people's, by field.
        """
        row = resolve(
            runs,
            self.policy,
            self.day,
            given=given,
            overwrite=self._overwrite,
            decisions=decisions,
            texts=self._texts,
        )
        return self._without_misfits(row) if self._types else row

    def _without_misfits(self, row: ResolvedRow) -> ResolvedRow:
        """Return the row with every found value rejected that its column in the table cannot hold."""
        cells, rejected = list(row.cells), dict[str, str]()
        for at, (field, cell) in enumerate(zip(self.fields, row.cells, strict=True)):
            column = self._types.get(field.name)
            if column is None or cell.rejection is not None or cell.confidence == GIVEN:
                continue
            if not fits(cell.value, column):
                rejected[field.name] = f"{cell.value} does not fit the column's type {column}"
                cells[at] = msgspec.structs.replace(
                    cell, value=None, rule="type", rejection=rejected[field.name]
                )
        if not rejected:
            return row
        reasons = [f"{name}: {reason}" for name, reason in rejected.items()]
        return msgspec.structs.replace(
            row,
            cells=cells,
            status=RowStatus.REJECTED if row.status is RowStatus.COMPLETED else row.status,
            error="; ".join([*filter(None, [row.error]), *reasons]),
            conflicts=tuple(
                item._replace(replaced=item.replaced and item.field not in rejected) for item in row.conflicts
            ),
        )

    def identify(self, keys: pl.Series, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the values that each row resolves by: its task's key, and its given values with blanks as nulls."""
        ids = keys.to_frame(KEY)
        return ids.hstack(rows.select(self._own_values)) if self._own_values else ids

    def resolve_columns(self, ids: pl.DataFrame) -> Iterator[ResolvedColumns]:
        """Yield the rows of `ids` in columns, some at a time: distinct rows of `identify` that have a key."""
        for some in _blocks(row for _, row in self._stored(ids)):
            columns, others = resolve_accepted(some, self.policy, self.day, texts=self._texts)
            for at in others | self._misfits(columns):
                columns.replace(at, self.resolve(*some[at]))
            yield columns

    def _misfits(self, columns: ResolvedColumns) -> set[int]:
        """Return the places of the rows with a found value that its column in the table cannot hold."""
        return {
            at
            for field, cells in zip(self.fields, columns.cells, strict=True)
            if (kind := self._types.get(field.name)) is not None
            for at, value in enumerate(cells.values)
            if not fits(value, kind)
        }

    def groups(self, keys: pl.Series, rows: pl.DataFrame) -> Iterator[RowGroup]:
        """Yield the rows of a batch in groups that resolve alike; rows without a key are left out."""
        ids = self.identify(keys, rows)
        grouped = (
            ids.with_row_index(_ROWS)
            .filter(pl.col(KEY).is_not_null())
            .group_by(ids.columns, maintain_order=True)
            .agg(pl.col(_ROWS))
        )
        places = grouped[_ROWS].to_list()
        for places_of, (key, row) in zip(places, self._stored(grouped.drop(_ROWS)), strict=True):
            yield RowGroup(key, places_of, row.given, row.decisions, row.runs, self.resolve(*row))

    def _stored(self, ids: pl.DataFrame) -> Iterator[tuple[bytes, StoredRow]]:
        """Yield for each of `ids` its key, its given values, and what the ledger has of it."""
        names = [field.name for field in self.given_columns.values()]
        for part in ids.iter_slices(_READ):
            keys = part[KEY].to_list()
            runs = {stored[0].key: stored for stored in self._ledger.runs_by_task(keys)}
            decisions = self._ledger.decisions(keys) if self._decided else {}
            count_read(answers=len(runs))
            if not names:
                yield from ((key, StoredRow(runs.get(key, []), {}, decisions.get(key, {}))) for key in keys)
                continue
            for key, *own in part.iter_rows():
                given = {name: value for name, value in zip(names, own, strict=True) if value is not None}
                yield key, StoredRow(runs.get(key, []), given, decisions.get(key, {}))


def _blocks(rows: Iterator[StoredRow]) -> Iterator[list[StoredRow]]:
    """Yield rows with about `_CACHE` bytes of answers at a time."""
    while some := list(islice(rows, _READ)):
        size = sum(len(run.output) for row in some for run in row.runs if run.output is not None)
        block = max(len(some) * _CACHE // max(size, _CACHE), 1)
        yield from (some[first : first + block] for first in range(0, len(some), block))

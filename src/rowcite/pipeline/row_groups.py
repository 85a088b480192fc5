"""What every row of a table comes to by its ledger: questions of a batch, each resolved once for all rows that ask it.

Rows ask the same when their inputs are the same, and come to the same when they were given the same as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any

import polars as pl

from rowcite.accept.policy import acceptance_policy
from rowcite.ledger import Ledger
from rowcite.model import Decision, StoredRun
from rowcite.pipeline.job import Job
from rowcite.rows.given import without_blanks
from rowcite.rows.resolve import ResolvedRow, resolve
from rowcite.spec.fields import fields
from rowcite.table.columns import filled_columns
from rowcite.table.reader import Batch

_CHUNK = 2_000  # tasks whose answers are in memory at once
_KEY, _ROWS = "\0key", "\0rows"  # beside the given columns, so named as none is


@dataclass(frozen=True, slots=True)
class RowGroup:
    """Rows of a batch that come to the same.

    Their places in it, what they were given by field, what they come to by which runs, and what people decided.
    """

    key: bytes
    rows: list[int]
    given: Mapping[str, Any]
    resolved: ResolvedRow
    decisions: Mapping[str, Decision]
    runs: Sequence[StoredRun]


class RowGroups:
    """Says what the rows of a job come to. Without `decided` the decisions of people are left out."""

    def __init__(self, job: Job, ledger: Ledger, *, decided: bool = True) -> None:
        self._job, self._ledger, self._decided = job, ledger, decided
        self.fields = fields(job.spec)
        self._policy = acceptance_policy(self.fields, job.spec.accept)
        self._day: date = datetime.now(UTC).date()
        self._columns = filled_columns(job.spec, job.reader.source.schema)

    def batches(self) -> Iterator[tuple[Batch, Iterator[RowGroup]]]:
        """Yield the table's batches with what their rows come to; rows that are not asked about are left out."""
        for batch in self._job.reader.batches(self._job.question):
            yield batch, self._settled(batch)

    def _settled(self, batch: Batch) -> Iterator[RowGroup]:
        groups = self._groups(batch)
        while some := list(islice(groups, _CHUNK)):
            keys = {group[_KEY] for group in some}
            runs = {held[0].key: held for held in self._ledger.runs_by_task(keys)}
            said = self._ledger.decisions(keys) if self._decided else {}
            for group in some:
                key, decisions = group[_KEY], said.get(group[_KEY], {})
                given = {
                    field.name: group[column]
                    for column, field in self._columns.items()
                    if group[column] is not None
                }
                resolved = resolve(
                    runs.get(key, ()),
                    self._policy,
                    self._day,
                    given=given,
                    overwrite=self._job.spec.columns.existing == "overwrite",
                    decisions=decisions,
                )
                yield RowGroup(key, group[_ROWS], given, resolved, decisions, runs.get(key, ()))

    def _groups(self, batch: Batch) -> Iterator[dict[str, Any]]:
        """Yield the distinct questions of a batch with what their rows were given, blanks as nulls."""
        frame, columns = batch.rows.frame, list(self._columns)
        given = frame.select(without_blanks(columns, frame.schema, self._job.spec.input.csv.null_values))
        return (
            pl.DataFrame({_KEY: batch.keys})
            .hstack(given)
            .with_row_index(_ROWS)
            .filter(pl.col(_KEY).is_not_null())
            .group_by(_KEY, *columns, maintain_order=True)
            .agg(pl.col(_ROWS))
            .iter_rows(named=True)
        )

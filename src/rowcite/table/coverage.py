"""What a written table holds: how many cells are filled, and why values were rejected and runs failed."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from rowcite.model import ANSWERED_ROWS, RowStatus
from rowcite.rows.given import is_blank
from rowcite.spec.fields import fields, value_column
from rowcite.spec.models import Spec
from rowcite.table.sources import Rows

_STATUS, _ERROR = "rowcite_status", "rowcite_error"
_REFERENCE = re.compile(r" \(ref_id [^)]*\)")
_VARYING = re.compile(
    r"""https?://\S+|'[^']*'|"[^"]*"|\b[0-9a-f]{8,}\b|\b\w*\d{3,}\w*\b|\b\d+\.\d+|\b\d+(?= ?(?:ms|s|min|seconds|minutes)\b)"""
)
MOST_REASONS, _REASON_CHARS = 500, 120
OTHER = "other reasons"


@dataclass(slots=True)
class Coverage:
    """Counts of a table's answered rows (`completed` or `rejected`).

    `filled` has the rows with an accepted value by field, given values included, `found` the accepted values that are not given.
    `reasons` has the rows of each reason for a rejection or a failure, without what differs from row to row. `rejected_row` is the
    number of the first rejected row, from 1.
    """

    answered: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    found: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejected_row: int | None = None
    _rows: int = 0

    def add(self, spec: Spec, rows: Rows, added: pl.DataFrame) -> None:
        """Count some merged rows, with the columns that are added to them."""
        first = added[_STATUS].eq(RowStatus.REJECTED).arg_max()
        if self.rejected_row is None and first is not None and added[_STATUS][first] == RowStatus.REJECTED:
            self.rejected_row = self._rows + first + 1
        self._rows += added.height
        mask = added[_STATUS].is_in(list(ANSWERED_ROWS))
        columns = {value_column(spec, item.name) for item in fields(spec)}
        own = [name for name in rows.frame.columns if name in columns]
        # Filtering copies: no other column is needed.
        table = rows.frame.select(own).filter(mask) if own else rows.frame.clear()
        found = table.clear() if rows.found is None else rows.found.filter(mask)
        answered = added.select(
            pl.col(*(name for name in added.columns if not name.endswith("_citations") and name[0] != "\0"))
        ).filter(mask)
        self.answered += answered.height
        for item in fields(spec):
            self._add_field(spec, item.name, table, answered, found)
        self._add_reasons(added)

    def append(self, other: Coverage, rows: int) -> None:
        """Add the counts of the `rows` rows that follow those counted so far."""
        if self.rejected_row is None and other.rejected_row is not None:
            self.rejected_row = self._rows + other.rejected_row
        self._rows += rows
        self.answered += other.answered
        self.filled += other.filled
        self.found += other.found
        for reason, count in other.reasons.items():
            self._add_reason(reason, count)

    def _add_field(
        self, spec: Spec, name: str, table: pl.DataFrame, added: pl.DataFrame, found: pl.DataFrame
    ) -> None:
        column = value_column(spec, name)
        if column in added.columns:
            has_value = added[column].is_not_null()
        else:
            blank = is_blank(column, table.schema[column], spec.input.csv.null_values)
            has_value = table.select(~blank).to_series()
        if spec.accept.on_reject == "keep":
            has_value &= ~added[_ERROR].str.contains(rf"(^|; ){re.escape(name)}: ").fill_null(value=False)
        self.filled[name] += int(has_value.sum())
        if column not in added.columns:
            has_value &= found[column].is_not_null()  # the others are given
        self.found += int(has_value.sum())

    def _add_reasons(self, added: pl.DataFrame) -> None:
        with_error = added.filter(pl.col(_ERROR).is_not_null() & (pl.col(_STATUS) != RowStatus.SKIPPED))
        for error, rows in with_error[_ERROR].value_counts().iter_rows():
            for reason in reasons_in(error):
                self._add_reason(reason, rows)

    def _add_reason(self, reason: str, rows: int) -> None:
        known = reason in self.reasons or len(self.reasons) < MOST_REASONS
        self.reasons[reason if known else OTHER] += rows


def reasons_in(error: str) -> set[str]:
    """Return the reasons in a row's error, without what differs from row to row."""
    parts = _REFERENCE.sub("", error).split("; ")
    return {_VARYING.sub("…", part)[:_REASON_CHARS] for part in parts}

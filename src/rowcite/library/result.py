"""The outcome of a run: the enriched table, the plan and the summary, and how it shows itself as text and in a notebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rowcite.api.facts import MICRO, usd
from rowcite.inert import one_line
from rowcite.library.notebook import Preview, html_of
from rowcite.model import RowStatus
from rowcite.pipeline.plan import Plan
from rowcite.pipeline.summary import Summary
from rowcite.wording import plural

TableT = TypeVar("TableT")
_BAR = 20
_NAME_CHARS = 40


@dataclass(frozen=True, slots=True, repr=False)
class Result(Generic[TableT]):
    """The outcome of `run`: the enriched table, the plan (None if the run stopped before it had one) and the summary.

    `summary.stopped` is the reason for an `exit_code` that is not 0, else None. In a notebook it shows counts, the share of filled
    cells by field, and the first rows.
    """

    table: TableT
    plan: Plan | None
    summary: Summary
    preview: Preview = field(default_factory=Preview, compare=False)

    def __repr__(self) -> str:
        """Return counts, spend and the share of filled cells by field, without a value of the table."""
        names = {name: one_line(name, _NAME_CHARS) for name in self.summary.filled}
        width = max(map(len, names.values()), default=0)
        of = self.summary.answered_rows
        lines = [
            f"{names[name]:{width}}  {'█' * (_BAR * filled // max(of, 1)):░<{_BAR}}  {filled:,} of {of:,}"
            for name, filled in self.summary.filled.items()
        ]
        return "\n".join([*self._sentences(), *lines])

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return html_of(self._sentences(), self.summary, self.preview)

    def _sentences(self) -> list[str]:
        """Return the counts of rows and the work of the call; and why it stopped."""
        summary = self.summary
        counts = [f"{summary.rows[status]:,} {status.value}" for status in RowStatus if summary.rows[status]]
        total = plural(summary.rows.total(), "row")
        cost = f" for {usd(round(summary.spent_usd * MICRO))} (list price)"
        work = (
            f"{plural(summary.tasks, 'task')}, {summary.answered:,} answered before; {plural(summary.submitted, 'run')} submitted"
            f"{cost if summary.spent_usd else ''}"
        )
        rows = f"{total}: {', '.join(counts)}" if counts else total
        return [rows, work, *([one_line(summary.stopped, 300)] if summary.stopped else [])]

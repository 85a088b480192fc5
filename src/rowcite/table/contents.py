"""Write a table: its rows, merged with the answers of their tasks, and the counts of what it then holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import polars as pl

from rowcite.api.bodies import Question
from rowcite.model import ANSWERED_ROWS, Counts, RowStatus
from rowcite.rows.resolver import RunStore
from rowcite.table.columns import STATUS_COLUMNS, ColumnLayout
from rowcite.table.coverage import Coverage
from rowcite.table.merge import Merge
from rowcite.table.reader import Reader
from rowcite.table.sinks import About, Replacement, open_table, output_format
from rowcite.table.sources import Rows


@dataclass(slots=True)
class Contents:
    """What a table holds: all rows by status, those within `--limit`, and the coverage of its fields."""

    rows: Counts = field(default_factory=Counts)
    requested: Counts = field(default_factory=Counts)
    coverage: Coverage = field(default_factory=Coverage)

    def append(self, other: Contents) -> None:
        """Add what the rows hold that follow."""
        self.coverage.append(other.coverage, other.rows.total())
        self.rows.update(other.rows)
        self.requested.update(other.requested)

    @property
    def answered(self) -> int:
        """Return the number of answered rows."""
        return sum(self.rows[status] for status in ANSWERED_ROWS)


def merged(reader: Reader, question: Question, merge: Merge) -> Iterator[tuple[Rows, pl.DataFrame]]:
    """Yield the table's rows some at a time, with the columns that are added to them."""
    batches = reader.batches(question)
    while (parts := next(map(merge.parts, batches), None)) is not None:
        yield from parts


def write_contents(  # noqa: PLR0913 - what a table is made of, by name
    reader: Reader,
    question: Question,
    runs: RunStore,
    target: str,
    contents: Contents,
    *,
    room: int,
    replacement: Replacement | None = None,
    about: About | None = None,
    before_end: Callable[[], None] = lambda: None,
    open_runs: Callable[[], RunStore] | None = None,
) -> None:
    """Write a table and count its contents. `replacement` chooses its place when all rows are counted.

    `room` limits the memory for resolved tasks, in bytes. `before_end` may raise an error, and no table appears. `open_runs`
    opens the runs in another process.
    """
    source, limit = reader.source, reader.limit
    form = output_format(target, source)
    layout = ColumnLayout(reader.spec, source.schema, native=form.native, workbook=form.workbook)
    headings = layout.headings
    added = pl.Schema({headings[name]: dtype for name, dtype in layout.schema.items()})
    merge = Merge(
        reader.spec,
        source.schema,
        runs,
        native=form.native,
        workbook=form.workbook,
        room=room,
        open_runs=open_runs,
    )
    with (
        closing(merge),
        open_table(target, source, added, replacement, about) as write_rows,
        ThreadPoolExecutor(1) as pool,
    ):
        pending: Future[None] | None = None
        for rows, columns in merged(reader, question, merge):
            if pending is not None:
                pending.result()
            # Written while the next rows are merged.
            pending = pool.submit(write_rows, rows, columns.rename(headings))
            left = None if limit is None else max(limit - contents.rows.total(), 0)
            count(contents.requested, columns.head(columns.height if left is None else left))
            count(contents.rows, columns)
            contents.coverage.add(reader.spec, rows, columns)
        if pending is not None:
            pending.result()
        before_end()


def count(counts: Counts, columns: pl.DataFrame) -> None:
    """Add a batch's rows to the counts."""
    for status, rows in columns[STATUS_COLUMNS[0]].value_counts().iter_rows():
        counts[RowStatus(status)] += rows

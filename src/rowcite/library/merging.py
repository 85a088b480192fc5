"""The enriched table in memory: the rows of the input with the columns that the ledger's answers give them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from rowcite.ledger import Ledger
from rowcite.library.frames import Frame
from rowcite.library.notebook import PREVIEW_ROWS, Preview
from rowcite.model import Counts
from rowcite.pipeline.input_changes import check_unchanged
from rowcite.pipeline.job import Job
from rowcite.pipeline.write import merged
from rowcite.rows.given import given_columns
from rowcite.spec.fields import fields, value_column
from rowcite.submit.stop import Stop
from rowcite.table.columns import ColumnLayout
from rowcite.table.contents import count
from rowcite.table.coverage import Coverage
from rowcite.table.sources import Rows
from rowcite.table.sources.members import with_own_texts


@dataclass(slots=True)
class MergedTable:
    """An enriched table of any kind, its rows by status (`requested`: those within the limit), and what it holds."""

    table: Any = None
    rows: Counts = field(default_factory=Counts)
    requested: Counts = field(default_factory=Counts)
    coverage: Coverage = field(default_factory=Coverage)
    preview: Preview = field(default_factory=Preview)


def merge_table(job: Job, ledger: Ledger, stop: Stop, frame: Frame | None) -> MergedTable:
    """Return the enriched table: of the kind of `frame`; a polars frame for a file."""
    schema, found = job.reader.source.schema, MergedTable()
    given, limit = list(given_columns(job.spec, schema)), job.reader.limit
    added = [pl.DataFrame(schema=ColumnLayout(job.spec, schema, native=True).schema)]
    own = [pl.DataFrame(schema=schema)]
    filled: list[Rows] = []
    for rows, columns in stop.checked(merged(job, ledger, native=True)):
        left = columns.height if limit is None else max(limit - found.rows.total(), 0)
        count(found.requested, columns.head(left))
        count(found.rows, columns)
        found.coverage.add(job.spec, rows, columns)
        if not found.preview.rows.height:
            found.preview = _preview(job, rows, columns)
        added.append(columns)
        if frame is None:
            own.append(with_own_texts(rows))
        elif given:
            filled.append(rows.select(given))
    check_unchanged(job)
    new = pl.concat(added)
    found.table = pl.concat(own).hstack(new) if frame is None else frame.enriched(new, filled)
    return found


def _preview(job: Job, rows: Rows, added: pl.DataFrame) -> Preview:
    """Return the first rows as a notebook shows them."""
    columns = {item.name: value_column(job.spec, item.name) for item in fields(job.spec)}
    inputs = [name for name in job.reader.columns if name not in columns.values()]
    own = [name for name in rows.frame.columns if name in {*inputs, *columns.values()}]
    first = with_own_texts(rows.slice(0, PREVIEW_ROWS)).select(own)
    return Preview(inputs, columns, first.hstack(added.head(PREVIEW_ROWS)))

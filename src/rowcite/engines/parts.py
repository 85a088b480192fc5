"""What a worker is given, and its first pass: the distinct tasks of a part, with the first row of each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl
import pyarrow as pa

from rowcite.api.bodies import Question
from rowcite.files import atomic_write, write_errors, write_whole
from rowcite.rows.given import given_columns, without_blanks
from rowcite.rows.resolver import KEY
from rowcite.spec.models import Spec
from rowcite.table.reader import Batch, Reader
from rowcite.table.sources import Rows
from rowcite.table.sources.base import FileSource, PartSource

_INPUT, _FIRST, _ROWS, _SEEN = "\0input", "\0first", "\0rows", "\0seen"  # not names of columns
_STORED = ("key", "first", "rows", "input")  # the columns of the file; then those of the table, by number
_ZSTD = pa.ipc.IpcWriteOptions(compression="zstd")
_MOST_SEEN = 1_000_000  # tasks of a part that are known to be written; beyond, an input may be written twice


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the table: its path, its name below the table's folder, and what identifies its bytes."""

    file: Path
    name: str
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PartJob:
    """What is the same for all parts. `question` and `spec` have no secrets.

    `folder` is for the tasks of each part, `digest` identifies everything but the part that these depend on, `room` limits the
    memory for resolved tasks, in bytes.
    """

    spec: Spec
    question: Question
    source: FileSource
    folder: Path
    digest: str
    room: int

    def reader(self, part: Part, limit: int | None = None) -> Reader:
        """Return the reader of one part."""
        return Reader(PartSource(self.source, part.file), self.spec, limit=limit)

    def id_of(self, part: Part) -> str:
        """Return what identifies the rows and the tasks of a part."""
        return hashlib.sha256(repr((self.digest, part.name, part.marks)).encode()).hexdigest()[:32]


class Survey(msgspec.Struct, frozen=True):
    """The rows of a part by status, under "" those with a task. Its tasks are in the file `id`."""

    id: str
    statuses: dict[str, int]

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return sum(self.statuses.values())


@dataclass(frozen=True, slots=True)
class TaskBatch(Batch):
    """The distinct tasks of some rows, in the order of their first row. `weights` are the numbers of their rows.

    `counts` has all rows by status. A task whose input an earlier batch of the part has is not in `tasks`.
    """

    weights: Sequence[int] = ()
    counts: tuple[tuple[str | None, int], ...] = ()

    @property
    def statuses(self) -> Counter[str | None]:
        """Return how many rows have each status; None for those with a task."""
        return Counter(dict(self.counts))


def stored_survey(job: PartJob, part: Part) -> Survey | None:
    """Return the survey of a part from an earlier command, None if there is none."""
    file = job.folder / f"{job.id_of(part)}.json"
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Survey)
    except (OSError, msgspec.DecodeError):
        return None
    return found if file.with_suffix(".arrow").exists() else None


def survey_part(job: PartJob, part: Part) -> Survey:
    """Write the distinct tasks of a part to a file, and return its survey. The memory does not grow with the part."""
    if (found := stored_survey(job, part)) is not None:
        return found
    name, statuses = job.id_of(part), dict[str, int]()
    file = job.folder / f"{name}.arrow"
    with write_errors(str(file)), atomic_write(file, private=True) as stream:
        writer = None
        for batch, tasks in _tasks(job, part):
            for status, rows in batch.statuses.items():
                statuses[status or ""] = statuses.get(status or "", 0) + rows
            tasks.columns = [
                *_STORED,
                *map(str, range(tasks.width - len(_STORED))),
            ]  # Arrow takes no NUL in a name
            table = tasks.to_arrow(compat_level=pl.CompatLevel.oldest())
            writer = writer or pa.ipc.new_stream(stream, table.schema, options=_ZSTD)
            writer.write_table(table.combine_chunks())
        if writer is not None:
            writer.close()
    survey = Survey(name, statuses)
    write_whole(job.folder / f"{name}.json", msgspec.json.encode(survey), private=True)
    return survey


def _tasks(job: PartJob, part: Part) -> Iterator[tuple[Batch, pl.DataFrame]]:
    """Yield each batch of a part, and its distinct tasks."""
    reader, seen = job.reader(part), pl.DataFrame()
    schema = reader.source.schema
    own = without_blanks(given_columns(job.spec, schema), schema, job.spec.input.csv.null_values)
    for batch in reader.batches(job.question):
        ids = batch.keys.to_frame(KEY)
        found = _distinct(ids.hstack(batch.rows.frame.select(own)) if own else ids, batch)
        names = [name for name in found.columns if name not in (_FIRST, _ROWS, _INPUT)]
        if seen.height:
            known = seen.select(*names, pl.lit(value=True).alias(_SEEN))
            found = found.join(known, on=names, how="left", nulls_equal=True, maintain_order="left")
            found = found.with_columns(pl.when(pl.col(_SEEN).is_null()).then(_INPUT).alias(_INPUT))
        new = found.filter(pl.col(_INPUT).is_not_null()).select(names)
        seen = pl.concat([seen, new]) if 0 < seen.height < _MOST_SEEN else new
        yield batch, found.select(KEY, _FIRST, _ROWS, _INPUT, *names[1:])


def _distinct(ids: pl.DataFrame, batch: Batch) -> pl.DataFrame:
    """Return the distinct tasks of a batch with the number of the first row, the number of rows, and the input."""
    texts = {KEY: list(batch.tasks), _INPUT: list(batch.tasks.values())}
    return (
        ids.with_columns(pl.Series(_FIRST, batch.numbers, dtype=pl.Int64))
        .filter(pl.col(KEY).is_not_null())
        .group_by(ids.columns, maintain_order=True)
        .agg(pl.col(_FIRST).first(), pl.len().cast(pl.Int64).alias(_ROWS))
        .join(
            pl.DataFrame(texts, {KEY: pl.Binary, _INPUT: pl.Binary}),
            on=KEY,
            how="left",
            maintain_order="left",
        )
    )


def task_batches(job: PartJob, survey: Survey, before: int, schema: pl.Schema) -> Iterator[TaskBatch]:
    """Yield the tasks of a part, whose first row has the number `before`. The first batch has the counts of the whole part.

    `schema` is that of the table.
    """
    counts = tuple((status or None, rows) for status, rows in survey.statuses.items())
    given = list(given_columns(job.spec, schema))
    for tasks in _stored_tasks(job, survey, schema):
        inputs = tasks.filter(pl.col(_INPUT).is_not_null()).select(KEY, _INPUT)
        none = pl.repeat(None, tasks.height, dtype=pl.String, eager=True)
        yield TaskBatch(
            Rows(tasks.select(pl.col(name).cast(schema[name]) for name in given)),
            tasks[KEY],
            none,
            none,
            dict(inputs.iter_rows()),
            (tasks[_FIRST] + before).to_list(),
            tasks[_ROWS].to_list(),
            counts,
        )
        counts = ()
    if counts:  # no row of the part has a task
        none = pl.Series([], dtype=pl.String)
        frame = pl.DataFrame(schema={name: schema[name] for name in given})
        yield TaskBatch(Rows(frame), pl.Series([], dtype=pl.Binary), none, none, counts=counts)


def task_keys(job: PartJob, survey: Survey, schema: pl.Schema) -> list[bytes]:
    """Return the keys of a part's tasks, each once and in ascending order."""
    keys = [tasks[KEY] for tasks in _stored_tasks(job, survey, schema)]
    return pl.concat(keys).unique().sort().to_list() if keys else []


def _stored_tasks(job: PartJob, survey: Survey, schema: pl.Schema) -> Iterator[pl.DataFrame]:
    """Yield the tasks of each batch of a part."""
    with pa.OSFile(str(job.folder / f"{survey.id}.arrow")) as file:
        if not file.size():
            return  # a part without rows
        for batch in pa.ipc.open_stream(file):
            tasks = pl.DataFrame(pa.Table.from_batches([batch]))
            tasks.columns = [KEY, _FIRST, _ROWS, _INPUT, *given_columns(job.spec, schema)]
            yield tasks

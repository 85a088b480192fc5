"""The driver's part: a table is planned from the tasks that workers found in its parts, and merged by workers part by part."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time, time_ns
from typing import cast

import polars as pl

from rowcite.accept.policy import acceptance_policy
from rowcite.api.bodies import Question
from rowcite.engines.answers_file import write_answers
from rowcite.engines.engine import Engine
from rowcite.engines.merge_part import Order, merge_part
from rowcite.engines.output_folder import OutputFolder
from rowcite.engines.parts import (
    Part,
    PartJob,
    Survey,
    TaskBatch,
    stored_survey,
    survey_part,
    task_batches,
    task_keys,
)
from rowcite.errors import TableError, UsageError
from rowcite.model import Counts, RowStatus
from rowcite.rows.resolver import RowResolver, RunStore
from rowcite.spec.fields import fields
from rowcite.spec.models import Engine as EngineSpec
from rowcite.spec.models import Spec
from rowcite.table.contents import Contents
from rowcite.table.input_table import InputTable
from rowcite.table.sinks import output_format
from rowcite.table.sources.base import FileSource
from rowcite.table.sources.opening import root_of
from rowcite.table.where import names_time
from rowcite.version import __version__
from rowcite.wording import how_to_install

_ANSWERS_BYTES = 1 << 30
"""Answers that are in files at the same time, beyond those of one part."""
_ANSWERS, _KEPT = "answers-", 7 * 24 * 3600
_PLAIN = {"limits", "cache", "prices", "output", "eval", "engine", "escalate"}
"""Keys of a spec on which no row, task or cell depends."""


@dataclass(slots=True)
class Distribution:
    """A table whose parts workers read and write. `schema` is that of its rows, `output` the folder of the new table.

    `open_engine` is called when there is work for workers.
    """

    open_engine: Callable[[], Engine]
    job: PartJob
    parts: Sequence[Part]
    schema: pl.Schema
    output: str | None
    _engine: Engine | None = None
    _surveys: list[Survey] = field(default_factory=list)

    def engine(self) -> Engine:
        """Return the engine, whose workers can work on this table.

        Raises:
            UsageError: it is not installed, or its workers cannot.
        """
        if self._engine is None:
            engine = self.open_engine()
            for folder in (self.job.folder.parent, self.job.folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folders = [self.job.folder, *([Path(self.output).absolute()] if self.output else [])]
            engine.check([part.file for part in self.parts], folders)
            self._engine = engine
        return self._engine

    def surveys(self) -> list[Survey]:
        """Return the survey of each part. Workers read those parts that no earlier command has read.

        Raises:
            UsageError: as `engine`.
            TableError: a part cannot be read.
        """
        if not self._surveys:
            missing = [part for part in self.parts if stored_survey(self.job, part) is None]
            if missing:
                for _ in self.engine().map(partial(survey_part, self.job), missing):
                    pass
            self._surveys = [survey_part(self.job, part) for part in self.parts]  # reads their facts
        return self._surveys

    def of(self, table: InputTable) -> Distribution:
        """Return the distribution of the table as it is now, which has the same columns."""
        return replace(
            self,
            job=replace(self.job, source=cast("FileSource", table.source)),
            parts=_parts(table),
            _surveys=[],
        )

    @property
    def rows(self) -> int:
        """Return the number of rows of the table."""
        return sum(survey.rows for survey in self.surveys())

    def batches(self) -> Iterator[TaskBatch]:
        """Yield the distinct tasks of the table in the order of their first row."""
        for survey, before in self._placed():
            yield from task_batches(self.job, survey, before, self.schema)

    def status_counts(self, runs: RunStore) -> Counts:
        """Return the number of rows with each status."""
        resolver, counts = RowResolver(self.job.spec, self.schema, runs, texts=False), Counts()
        for batch in self.batches():
            for status, rows in batch.counts:
                if status is not None:
                    counts[RowStatus(status)] += rows
            for group in resolver.groups(batch.keys, batch.rows.frame):
                counts[group.resolved.status] += sum(batch.weights[place] for place in group.rows)
        return counts

    def write(
        self, runs: RunStore, output: str, limit: int | None, choose: Callable[[Contents], str | None]
    ) -> None:
        """Write every part with its answers; when all are written, move them to the folder that `choose` returns.

        Answers were requested for the first `limit` rows.
        """
        folder = OutputFolder(output)
        self.job.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=_ANSWERS, dir=self.job.folder) as answers:
            for orders in self._orders(runs, folder, Path(answers), limit):
                tables = {order.part.name: order for order in orders}
                for record in self.engine().map(partial(merge_part, self.job), orders) if orders else ():
                    folder.add(record, tables[record.name].table)
                for order in orders:
                    order.answers.unlink()
        self._remove_old()
        place = choose(folder.contents([part.name for part in self.parts]))
        if place is not None:
            folder.install(place)
        folder.clear()

    def _remove_old(self) -> None:
        """Remove what earlier commands left for parts and specs of then: after a week, since another command may read it."""
        ids, before = {survey.id for survey in self.surveys()}, time() - _KEPT
        for left in self.job.folder.iterdir():
            with suppress(OSError):
                if left.stem in ids or left.stat().st_mtime > before:
                    continue
                shutil.rmtree(left) if left.is_dir() else left.unlink()

    def _orders(
        self, runs: RunStore, folder: OutputFolder, place: Path, limit: int | None
    ) -> Iterator[list[Order]]:
        """Yield the parts to write, some at a time, each with a file of its answers in `place`. Finished ones go to the folder."""
        orders: list[Order] = []
        size, day = 0, self._day()
        for part, (survey, before) in zip(self.parts, self._placed(), strict=True):
            answers = place / survey.id
            digest, written = write_answers(answers, runs, task_keys(self.job, survey, self.schema))
            left = None if limit is None else min(max(limit - before, 0), survey.rows)
            digest = hashlib.sha256(repr((survey.id, digest, left, day)).encode()).hexdigest()
            order = Order(part, answers, folder.staging / survey.id, digest, left)
            if folder.add_finished(order):
                answers.unlink()
                continue
            orders.append(order)
            size += written
            if size > _ANSWERS_BYTES:
                yield orders
                orders, size = [], 0
        yield orders

    def _placed(self) -> Iterator[tuple[Survey, int]]:
        """Yield the survey of each part with the number of its first row."""
        surveys = self.surveys()
        yield from zip(surveys, accumulate((survey.rows for survey in surveys[:-1]), initial=0), strict=True)

    def _day(self) -> str:
        """Return the day, where a rule counts the age of evidence from it."""
        policy = acceptance_policy(fields(self.job.spec), self.job.spec.accept)
        return str(datetime.now(UTC).date()) if policy.reads_texts else ""


def open_engine(spec: EngineSpec, secrets: Sequence[str]) -> Engine:
    """Return the engine that a spec names. No worker gets the variables `secrets`.

    Raises:
        UsageError: the engine is not installed.
    """
    os.environ.setdefault("DAFT_ANALYTICS_ENABLED", "0")  # read when Daft is imported
    os.environ.setdefault("DAFT_PROGRESS_BAR", "0")
    try:
        from rowcite.engines.daft_engine import DaftEngine
    except ImportError as error:
        raise UsageError(f"engine daft needs further packages: {how_to_install('daft')}") from error
    return DaftEngine(spec.address, secrets)


def distribution(  # noqa: PLR0913 - what workers are given, by name
    opened: Callable[[], Engine],
    spec: Spec,
    question: Question,
    table: InputTable,
    schema: pl.Schema,
    *,
    folder: Path,
    output: str | None,
    room: int,
) -> Distribution:
    """Return the distribution of a table. `folder` is for the tasks and answers of each part, which are as private as the ledger.

    Raises:
        TableError: the table is not a folder or a pattern of parts on this machine's storage.
    """
    path, source = table.address.path, table.source
    if "://" in path or path == "-" or Path(path).is_file():
        raise TableError(
            f"{table.name}: engine daft reads a folder or a pattern of parts, on storage that all workers have. Name one, or"
            " remove `engine`"
        )
    if source.format == "xlsx":
        raise TableError(
            f"{path}: engine daft reads no workbooks: export them as CSV or Parquet, or remove `engine`"
        )
    parts = _parts(table)
    for part in parts:
        output_format(part.name, source)
    spec = spec.model_copy(update={"task": spec.task.model_copy(update={"mcp_servers": ()})})
    digest = _digest(spec, question, source.arrow_schema or schema)
    job = PartJob(spec, question.shown, cast("FileSource", source), folder, digest, room)
    return Distribution(opened, job, parts, schema, output)


def _parts(table: InputTable) -> list[Part]:
    """Return the parts of a table. Their names are relative to its folder, or to the folder that its pattern begins with."""
    files = table.source.files
    root = root_of(table.address.path, {file: str(file) for file in files})
    found = [(file, file.stat()) for file in files]
    return [
        Part(file, str(file.relative_to(root)), (marks.st_size, marks.st_mtime_ns)) for file, marks in found
    ]


def _digest(spec: Spec, question: Question, schema: object) -> str:
    """Return what identifies everything but the bytes of a part and its answers that a part's table depends on."""
    now = time_ns() if names_time(spec) else None
    parts = (__version__, question.fingerprint, spec.model_dump_json(exclude=_PLAIN), repr(schema), now)
    return hashlib.sha256(repr(parts).encode()).hexdigest()

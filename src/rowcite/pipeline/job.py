"""The job of a command: a spec, a table and the API that answers."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from rowcite.api.bodies import LOCAL, Question
from rowcite.api.facts import MICRO, PROCESSORS
from rowcite.engines.distribution import Distribution
from rowcite.progress import Band
from rowcite.spec.models import Spec
from rowcite.spec.question import question
from rowcite.table.input_table import InputTable
from rowcite.table.reader import Batch, Reader

MEMORY = 1 << 30


@dataclass(frozen=True, slots=True)
class Job:
    """A spec, a table and the question for its rows.

    `table` is the input whose changes are noticed, None for a frame. `fresh` ignores stored answers, `retry_failed` submits failed tasks again. `memory` is the approximate number of
    bytes for keys and answers, `began` the time of the command (Unix seconds). `distribution` is the table as workers read and
    write it, None if this process does.
    """

    spec: Spec
    reader: Reader
    question: Question
    fresh: bool = False
    retry_failed: bool = False
    memory: int = MEMORY
    began: float = field(default_factory=time.time)
    table: InputTable | None = None
    distribution: Distribution | None = None

    def batches_to_plan(self) -> Iterator[Batch]:
        """Yield the rows in order for which answers may be requested; where workers read the table, their distinct tasks.

        The first rows that `--limit` allows are read here: it takes no workers to read a few rows.
        """
        if self.distribution is not None:
            self.distribution.engine()  # before anything is spent
        if self.distribution is None or self.reader.limit is not None:
            return self.reader.batches_within_limit(self.question)
        return self.distribution.batches()

    @property
    def local(self) -> bool:
        """Return True if the local server answers, which costs nothing."""
        return self.spec.backend == "local"

    @property
    def price(self) -> int:
        """Return the price of a run of the spec's processor, in micro-US$."""
        return self.price_of(self.spec.task.processor)

    @property
    def not_before(self) -> float:
        """Return the time (Unix seconds) before which an answer of an earlier command is too old."""
        if self.fresh:
            return math.inf
        age = self.spec.cache.max_age
        return self.began - age.total_seconds() if age else 0.0

    def now(self) -> Job:
        """Return the job with the table as it is now.

        Raises:
            TableChanged: the table has another header, or cannot be read.
        """
        table = self.table.now() if self.table is not None else None
        if table is None or table is self.table:
            return self
        parts = self.distribution.of(table) if self.distribution is not None else None
        reader = Reader(table.source, self.spec, limit=self.reader.limit)
        return replace(self, table=table, reader=reader, distribution=parts)

    def price_of(self, processor: str) -> int:
        """Return the price of a run of a processor with its data sources, in micro-US$."""
        if self.local:
            return 0
        prices, listed, sources = self.spec.prices, PROCESSORS.get(processor), self.spec.task.data_sources
        own = round(prices[processor] * MICRO) if processor in prices else listed.price if listed else 0
        return own + sum(round(prices[name] * MICRO) for name in sources.pay_per_use) if sources else own

    def seconds_of(self, processors: Iterable[str], runs: int) -> Band | None:
        """Return the time that some runs usually take, None if a processor has no published time."""
        if self.local or not runs:
            return None
        bands = [PROCESSORS[name].seconds if name in PROCESSORS else None for name in processors]
        known = [band for band in bands if band is not None]
        if not known or len(known) < len(bands):
            return None
        waves = -(-runs // self.spec.limits.active_runs)
        return min(low for low, _ in known) * waves, max(high for _, high in known) * waves

    def ledger_processor(self, processor: str) -> str:
        """Return the name of a processor in the ledger and the table: `local:` marks the local server."""
        return LOCAL + processor if self.local else processor


def make_job(  # noqa: PLR0913 - the parts of a job, by name
    spec: Spec,
    reader: Reader,
    api: str,
    *,
    fresh: bool = False,
    retry_failed: bool = False,
    memory: int = MEMORY,
    table: InputTable | None = None,
) -> Job:
    """Return a job. `api` is the name of the API in the ledger: a base URL, or `local:` and a digest."""
    return Job(
        spec,
        reader,
        question(spec, reader.types, api),
        fresh=fresh,
        retry_failed=retry_failed,
        memory=memory,
        table=table,
    )

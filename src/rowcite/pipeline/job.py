"""What is to be done: a spec, a table, and who is asked."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rowcite.api.bodies import LOCAL, Question
from rowcite.api.facts import MICRO, PROCESSORS
from rowcite.spec.models import Spec
from rowcite.spec.question import question
from rowcite.table.reader import Reader

MEMORY = 1 << 30


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done: a spec, a table, and who is asked.

    `api` names who is asked for the ledger (a base URL, or `local:` and a digest). `fresh` ignores what is
    stored, `retry_failed` asks again what has failed. `memory` is about how many bytes keys and answers may take.
    """

    spec: Spec
    reader: Reader
    question: Question
    fresh: bool = False
    retry_failed: bool = False
    memory: int = MEMORY
    began: float = field(default_factory=time.time)

    @property
    def local(self) -> bool:
        """Tell whether the shipped server answers: then nothing costs anything."""
        return self.spec.backend == "local"

    @property
    def price(self) -> int:
        """Return what one run of the spec's own processor costs, in micro-US$."""
        return self.price_of(self.spec.task.processor)

    @property
    def not_before(self) -> float:
        """Return the time (Unix seconds) that an answer must not be older than."""
        if self.fresh:
            return self.began
        age = self.spec.cache.max_age
        return self.began - age.total_seconds() if age else 0.0

    def price_of(self, processor: str) -> int:
        """Return what one run of a processor costs, in micro-US$."""
        if self.local:
            return 0
        own, listed = self.spec.prices.get(processor), PROCESSORS.get(processor)
        return round(own * MICRO) if own is not None else listed.price if listed else 0

    def ledger_processor(self, processor: str) -> str:
        """Return what the ledger and the table call a processor: answers of the local server are marked."""
        return LOCAL + processor if self.local else processor


def make_job(  # noqa: PLR0913 - what is read, who is asked, and how
    spec: Spec,
    reader: Reader,
    api: str,
    *,
    fresh: bool = False,
    retry_failed: bool = False,
    memory: int = MEMORY,
) -> Job:
    """Put a job together. `api` says who is asked."""
    asked = question(spec, reader.types, api)
    return Job(spec, reader, asked, fresh=fresh, retry_failed=retry_failed, memory=memory)

"""A submission against the shipped server in this process, and what its journal and the ledger say afterwards."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from rowcite.api.bodies import Question
from rowcite.api.client import Client
from rowcite.api.keys import canonical, task_key
from rowcite.api.rate_limit import RateLimiter
from rowcite.api.retry import RetryPolicy
from rowcite.ledger import Ledger, open_ledger
from rowcite.local.research.question import Finding
from rowcite.local.server.app import ServerSettings, create_app
from rowcite.local.server.faults import DropMiddleware
from rowcite.local.server.serving import embedded
from rowcite.model import Citation, FieldBasis, Task
from rowcite.progress import Silent
from rowcite.submit.ledger_thread import LedgerThread
from rowcite.submit.options import SubmissionTotals, SubmitOptions
from rowcite.submit.queue import TaskSource, TaskStates
from rowcite.submit.stop import Stop
from rowcite.submit.submitter import Submitter
from support.answers import runs_of
from support.deviant import Deviant, Deviations

PRICE = 25_000
TERMS = SubmitOptions(
    gather=0.1,
    sweep=0.4,
    first_pause=0.05,
    reconcile_after=0.3,
    reconcile_after_refusal=0.02,
    unexplained=1.0,
    stalled_timeout=1.0,
)
PATIENCE = RetryPolicy(
    attempts=3, total=60.0, first_pause=0.02, longest_pause=0.1, connect=10.0, answer=10.0, silence=1.0
)
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


class Echo:
    """Answers every question with its own input, so that an answer on the wrong row shows."""

    def research(self, question: Any) -> Finding:
        text = json.dumps(question.input)
        basis = FieldBasis("city", "It says so.", (Citation("https://a.example/", "A", (text,)),), "high")
        return Finding("json", {"city": text}, (basis,), None, 1, ("https://a.example/",))


class RecordedProgress(Silent):
    """Records messages and counts."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.counts = {"submitted": 0, "completed": 0, "failed": 0}

    def submitted(self, runs: int, spent: int) -> None:
        self.counts["submitted"] += runs

    def ended(self, completed: int, failed: int) -> None:
        self.counts["completed"] += completed
        self.counts["failed"] += failed

    def say(self, text: str) -> None:
        self.messages.append(text)


@dataclass
class Api:
    """A running server and its journal."""

    url: str
    deviant: Deviant
    journal_file: Path
    engine: Any

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.journal_file.read_text().splitlines()]

    def requests(self, method: str = "", path: str = "") -> list[dict[str, Any]]:
        return [
            line
            for line in self.lines()
            if "path" in line and method in line["method"] and path in line["path"]
        ]

    def created(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "input_sha256" in line]

    def paid_twice(self) -> int:
        """Return how many runs were created beyond one for each input."""
        made = self.created()
        return len(made) - len({line["input_sha256"] for line in made})


@contextmanager
def api(folder: Path, how: Deviations | None = None, **settings: Any) -> Iterator[Api]:
    """Run the shipped server in this process with deviations."""
    journal = folder / f"journal-{time.monotonic_ns()}.jsonl"
    app = create_app(Echo(), ServerSettings(**{"journal": journal, **settings}))
    deviant: list[Deviant] = []

    def in_front(app: Any, how: Deviations) -> Deviant:  # older versions of starlette name the argument
        deviant.append(Deviant(app, how))
        return deviant[0]

    app.add_middleware(in_front, how=how or Deviations())
    app.add_middleware(DropMiddleware)
    with embedded(app) as url:
        yield Api(url, deviant[0], journal, app.state.engine)


def question(url: str, **more: Any) -> Question:
    """Return a question that asks for a city."""
    task_spec = {"output_schema": {"type": "json", "json_schema": SCHEMA}}
    named = {"api": url, "task_spec": task_spec, "processor": "core", **more}
    return Question(named, json.dumps(task_spec).encode(), b'"processor":"core"', b"")


def tasks(asked: Question, count: int, start: int = 0) -> list[Task]:
    """Return tasks with inputs that are all different."""
    inputs = [canonical({"name": f"Company {number}"}) for number in range(start, start + count)]
    return [Task(task_key(asked.fingerprint, text), text) for text in inputs]


def _unanswered(some: list[Task], states: TaskStates) -> Iterator[Task]:
    known = states([task.key for task in some])
    yield from (task for task in some if task.key not in known)


@dataclass
class Submission:
    """One ledger, and submissions to it."""

    folder: Path
    api: Api
    terms: SubmitOptions = TERMS
    retry_policy: RetryPolicy = PATIENCE
    key: str | None = None
    progress: RecordedProgress = field(default_factory=RecordedProgress)
    submitter: Submitter | None = None
    totals: SubmissionTotals = field(default_factory=SubmissionTotals)

    def __post_init__(self) -> None:
        self.question = question(self.api.url)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        opened = open_ledger(self.folder / "ledger", writing=True)
        try:
            yield opened
        finally:
            opened.close()

    async def go(self, some: list[Task], *, deadline: float | None = None, **terms: Any) -> None:
        """Submit those of `some` that the ledger does not have, as the pipeline would."""
        self.totals = SubmissionTotals()
        client = Client(self.api.url, self.key, RateLimiter(2000, 8), retry_policy=self.retry_policy)
        options = replace(self.terms, **terms)
        source = TaskSource(self.question, "core", PRICE, partial(_unanswered, some))
        with self.ledger() as ledger:
            ledger.begin_command()
            with LedgerThread(ledger.reopen) as thread:
                self.submitter = Submitter(client, thread, options, self.totals, self.progress)
                async with asyncio.timeout(deadline):
                    await self.submitter.submit_all([source], self.question.named["api"], Stop())

    def run(self, some: list[Task], **more: Any) -> None:
        asyncio.run(self.go(some, **more))

    def interrupt(self, some: list[Task], reached: Callable[[], bool], **terms: Any) -> None:
        """Submit, and stop as at a deadline when `reached` is true, however long that takes."""

        async def interrupted() -> None:
            going = asyncio.create_task(self.go(some, **terms))
            while not (reached() or going.done()):  # noqa: ASYNC110 - waits for what other threads do
                await asyncio.sleep(0.01)
            going.cancel()
            await going

        with suppress(asyncio.CancelledError):
            asyncio.run(interrupted())

    def interrupt_active(self, some: list[Task]) -> None:
        """Submit, and stop when all runs are created."""
        self.interrupt(some, lambda: self.progress.counts["submitted"] >= len(some))

    def states(self) -> dict[str, int]:
        with self.ledger() as ledger:
            return {str(state): count for state, count in ledger.state_counts().items()}

    def spent(self) -> int:
        with self.ledger() as ledger:
            return ledger.spent()

    def misplaced(self, some: list[Task]) -> list[bytes]:
        """Return the inputs whose answer is not the echo of themselves."""
        with self.ledger() as ledger:
            held = runs_of(ledger, some)
        wrong = []
        for task in some:
            output = held[task.key].output if task.key in held else None
            if output is None or json.loads(json.loads(output)["content"]["city"]) != json.loads(task.input):
                wrong.append(task.input)
        return wrong


def whole(job: Submission, some: list[Task]) -> bool:
    """Check that each task has its own answer, that no run is paid for twice, and that all counts agree."""
    assert job.misplaced(some) == []
    assert job.api.paid_twice() == 0
    assert len(job.api.created()) == len(some)
    assert job.spent() == len(some) * PRICE
    assert job.submitter is not None
    assert (job.submitter._active, job.submitter._running) == (0, 0)
    return True

"""Two processors on the same rows, or one twice: where they agree, where not, and what the dearer one adds. No labels are needed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappush, heapreplace
from random import Random
from typing import Any, NamedTuple

from rowcite.accept.judge import Cell
from rowcite.evaluation.judging import Comparisons, level
from rowcite.evaluation.some_rows import SomeRows, job_of, price
from rowcite.evaluation.statistics import share
from rowcite.ledger import Ledger
from rowcite.model import ANSWERED_ROWS, Share
from rowcite.pipeline.job import Job
from rowcite.rows.resolve import ResolvedRow
from rowcite.rows.resolver import RowResolver


class Side(NamedTuple):
    """One processor's cell: its accepted value, the confidence as a word, and the evidence."""

    value: Any
    confidence: str
    urls: tuple[str, ...]
    excerpts: tuple[str, ...] = ()
    reasoning: str | None = None


class Disagreement(NamedTuple):
    """A cell for which two processors gave different accepted values, or only one gave any."""

    row: int
    field: str
    first: Side
    second: Side


@dataclass(frozen=True, slots=True)
class FieldAgreement:
    """The cells of one field: `agree` of those that both filled, and those that only one filled, or none."""

    field: str
    both: int
    agree: Share
    only_first: int
    only_second: int
    neither: int


@dataclass(slots=True)
class ProcessorComparison:
    """Two processors on `rows` tasks that both answered. Costs are micro-US$ over these rows."""

    first: str
    second: str
    rows: int = 0
    first_cost: int = 0
    second_cost: int = 0
    fields: list[FieldAgreement] = field(default_factory=list)
    disagreements: list[Disagreement] = field(default_factory=list)

    @property
    def added(self) -> int:
        """Return how many cells only the second processor filled, less those that only the first did."""
        return sum(item.only_second - item.only_first for item in self.fields)


class ProcessorPair(NamedTuple):
    """Two processors by name, and the jobs that ask them about some rows."""

    names: tuple[str, str]
    jobs: tuple[Job, Job]


def pair_of(job: Job, rows: SomeRows, processors: Sequence[str]) -> ProcessorPair:
    """Return the pair of two processors; of one, the pair of its answer and a second one."""
    first, *others = processors or [job.spec.task.processor]
    second = others[0] if others else first
    jobs = job_of(job, rows, first), job_of(job, rows, second, again=not others)
    return ProcessorPair((first, second if others else f"{first} again"), jobs)


def sample(job: Job, size: int, seed: int) -> SomeRows:
    """Return a seeded sample of the table's rows within `--limit`, in their order."""
    dice = Random(seed)  # noqa: S311 - a seeded sample, not a secret
    chosen: list[
        tuple[float, int]
    ] = []  # the rows with the smallest random numbers, the largest of these first
    number = 0
    for batch in job.reader.batches_within_limit(job.question):
        for has_task in batch.keys.is_not_null().to_list():
            number += 1
            drawn = dice.random()
            if not has_task:
                continue
            if len(chosen) < size:
                heappush(chosen, (-drawn, number))
            elif chosen and -drawn > chosen[0][0]:
                heapreplace(chosen, (-drawn, number))
    return SomeRows.by_number(job.reader.source, {number for _, number in chosen})


def compare(pair: ProcessorPair, rows: SomeRows, ledger: Ledger) -> ProcessorComparison:
    """Return the comparison of two processors on some rows, by the answers that the ledger has."""
    first, second = (_answers(job, rows, ledger) for job in pair.jobs)
    found, spec = ProcessorComparison(*pair.names), pair.jobs[0].spec
    resolver = RowResolver(spec, rows.schema, ledger, decided=False)
    comparisons = Comparisons(resolver.fields, spec.eval)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for number, (one, own_price) in first.items():
        if number not in second:
            continue
        other, other_price = second[number]
        found.rows, found.first_cost = found.rows + 1, found.first_cost + own_price
        found.second_cost += other_price
        for part, left, right in zip(resolver.fields, one.cells, other.cells, strict=True):
            what = _relation(comparisons, part.name, left, right)
            counts[part.name][what] += 1
            if what not in ("agree", "neither"):
                found.disagreements.append(Disagreement(number, part.name, _side(left), _side(right)))
    found.fields = [_agreement(part.name, counts[part.name]) for part in resolver.fields]
    return found


def _answers(job: Job, rows: SomeRows, ledger: Ledger) -> dict[int, tuple[ResolvedRow, int]]:
    """Return each task's row and its price, by the number of its first row."""
    resolver = RowResolver(job.spec, rows.schema, ledger, decided=False)
    numbers: dict[bytes, int] = {}
    for number, key in zip(rows.numbers, rows.keys_of(job), strict=True):
        if key is not None:
            numbers.setdefault(key, number)
    found: dict[int, tuple[ResolvedRow, int]] = {}
    for stored in ledger.runs_by_task(list(numbers)):
        firsts = [run for run in stored if run.first]
        resolved = resolver.resolve(firsts) if firsts else None
        if resolved is not None and resolved.status in ANSWERED_ROWS:
            found[numbers[stored[0].key]] = resolved, price(firsts[-1:], ledger)
    return dict(sorted(found.items()))


def _relation(comparisons: Comparisons, name: str, left: Cell, right: Cell) -> str:
    first, second = _accepted(left), _accepted(right)
    if first is None or second is None:
        return "neither" if first is second else "only_second" if first is None else "only_first"
    return "agree" if comparisons.same(name, first, second) else "differ"


def _accepted(cell: Cell) -> Any:
    return cell.value if cell.rejection is None else None


def _side(cell: Cell) -> Side:
    sources = cell.citations
    excerpts = tuple(text for item in sources for text in item.excerpts)
    urls = tuple(item.url for item in sources)
    return Side(_accepted(cell), level(cell.confidence), urls, excerpts, cell.reasoning)


def _agreement(name: str, counts: Mapping[str, int]) -> FieldAgreement:
    agree, differ = counts["agree"], counts["differ"]
    return FieldAgreement(
        name,
        agree + differ,
        share([True] * agree + [False] * differ),
        counts["only_first"],
        counts["only_second"],
        counts["neither"],
    )

"""An evaluation: the answers to labelled rows, under the spec as it is or under each of some processors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl

from rowcite.api.facts import MICRO
from rowcite.errors import UsageError
from rowcite.evaluation.choice import Candidate, Choice, choose, front, with_own_bars
from rowcite.evaluation.frames import PAIRS, POLICIES, pair_as_dict, texts_of
from rowcite.evaluation.judging import (
    Comparisons,
    FieldResult,
    Outcome,
    Pair,
    field_results,
    judge_cell,
    says_nothing,
    weighted,
)
from rowcite.evaluation.labelled_rows import Labelled, LabelledRows, LabelledTask, labelled_tasks, rows_by_key
from rowcite.evaluation.policies import grid, yaml_block
from rowcite.evaluation.reviewed_truth import REVIEWED, drawn_and_reviewed, reviewed
from rowcite.evaluation.simulation import LabelledAnswers, Simulation
from rowcite.evaluation.some_rows import job_of, price
from rowcite.evaluation.truth import Truth, label_columns, read_truth
from rowcite.ledger import Ledger
from rowcite.model import ACTIVE, RowStatus, RunState, StoredRun
from rowcite.pipeline.job import Job
from rowcite.rows.resolve import ResolvedRow, current
from rowcite.rows.resolver import RowResolver
from rowcite.spec.accept_models import Accept
from rowcite.spec.fields import Field, fields
from rowcite.table.sources import Source


@dataclass(frozen=True, slots=True)
class Setting:
    """What gave the answers: the spec as it is, or one processor. `cost` is micro-US$ over its `rows` labelled tasks."""

    name: str
    rows: int
    right: int
    cost: int

    def as_dict(self) -> dict[str, Any]:
        """Return the setting as JSON; money in US$ at list price."""
        return {
            "processor": self.name,
            "rows": self.rows,
            "cost_usd": self.cost / MICRO,
            "cost_per_right_usd": self.cost / MICRO / self.right if self.right else None,
        }


@dataclass(slots=True, repr=False)
class Evaluation:
    """Labels compared with answers.

    `fields` counts the labelled cells of each field under each setting, `pairs` has every judged label by setting, `candidates` the
    simulated policies, `choice` the policy for the target. `duplicates` are keys that the truth has more than once, `notes` what the truth
    says about itself, `accept` is the spec's, which a policy changes.
    """

    settings: list[Setting] = field(default_factory=list)
    fields: list[FieldResult] = field(default_factory=list)
    pairs: dict[str, list[Pair]] = field(default_factory=dict)
    labelled: Labelled = field(default_factory=Labelled)
    duplicates: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    accept: Accept = field(default_factory=Accept)
    target: float | None = None
    candidates: list[Candidate] = field(default_factory=list)
    choice: Choice | None = None

    def __repr__(self) -> str:
        """Return the counts of each field and setting, and the policy for the target; no label and no answer."""
        width = max((len(item.field) for item in self.fields), default=0)
        lines = [
            f"{item.setting}: {item.field:{width}}  {item.labelled:,} labelled, {item.right:,} right, {item.wrong:,} wrong,"
            f" {item.invented:,} invented, {item.missed:,} missed"
            for item in self.fields
        ]
        if self.choice is not None and self.target is not None:
            certified = "certified" if self.choice.certified else "not certified"
            lines.append(f"{self.choice.candidate.policy}: {certified} for {self.target * 100:g}%")
        return "\n".join([*self.notes, *lines])

    @property
    def front(self) -> list[Candidate]:
        """Return the policies that no other beats in cost and in values given right: of all, and of those that are certified."""
        certified = self.choice.all_certified if self.choice is not None else ()
        both = {item.policy: item for item in (*front(self.candidates), *front(certified))}
        return sorted(both.values(), key=lambda item: (item.cost_per_row, item.found))

    def frame(self) -> pl.DataFrame:
        """Return the counts of each field and setting as a frame, with precision, recall and their intervals."""
        rows = [
            {
                **{name: value for name, value in item.as_dict().items() if not isinstance(value, dict)},
                **{
                    f"{name}{suffix}": value
                    for name, part in (("precision", item.precision), ("recall", item.recall))
                    for suffix, value in (("", part.value), ("_low", part.low), ("_high", part.high))
                },
            }
            for item in self.fields
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def policies_frame(self) -> pl.DataFrame:
        """Return every simulated policy as a frame: its price of a row in US$, the values it gives right, and its keys of a spec."""
        certified = self.choice.all_certified if self.choice is not None else ()
        rows = [
            {
                "policy": str(item.policy),
                "cost_per_row_usd": item.cost_per_row / MICRO,
                "found": item.found,
                "certified": item in certified,
                "chosen": self.choice is not None and item is self.choice.candidate,
                "yaml": yaml_block(item.policy, self.accept),
            }
            for item in self.candidates
        ]
        return pl.DataFrame(rows, schema=POLICIES)

    def pairs_frame(self) -> pl.DataFrame:
        """Return every judged pair as a frame of texts: setting, key, row, field, label, found, outcome, evidence."""
        rows = [
            {"processor": setting, **pair_as_dict(pair), **texts_of(pair)}
            for setting, pairs in self.pairs.items()
            for pair in pairs
        ]
        return pl.DataFrame(rows, schema=PAIRS)


class Evaluator:
    """Holds the labels of a truth against the answers to one table. Only rows with usable labels are requested and judged."""

    def __init__(self, job: Job, truth: Truth, rows: LabelledRows) -> None:
        self.job, self.truth = job, truth
        self.labelled = labelled_tasks(job_of(job, rows, job.spec.task.processor), rows, truth)
        self.source = rows.kept({item.row for item in self.labelled.tasks})
        self._comparisons = Comparisons(fields(job.spec), job.spec.eval)

    @cached_property
    def own_job(self) -> Job:
        """Return the job of the labelled rows under the spec as it is."""
        return job_of(self.job, self.source, self.job.spec.task.processor, self.job.spec.escalate)

    def job_of(self, processor: str) -> Job:
        """Return the job that asks one processor for the labelled rows."""
        return job_of(self.job, self.source, processor)

    def evaluate(
        self, ledger: Ledger, processors: Sequence[str] = (), target: float | None = None
    ) -> Evaluation:
        """Return the evaluation of the stored answers: of the spec as it is, or of each processor alone.

        With `target` the policies over the processors are simulated, and the cheapest that reaches it is chosen.
        """
        found = Evaluation(
            labelled=self.labelled,
            notes=self.truth.notes,
            duplicates=self.truth.duplicates,
            accept=self.job.spec.accept,
            target=target,
        )
        if target is not None and not processors:
            processors = (self.job.spec.task.processor, *self.job.spec.escalate)
        runs: dict[str, dict[str, StoredRun]] = {}
        for job in [self.job_of(name) for name in processors] or [self.own_job]:
            name = " > ".join([job.spec.task.processor, *job.spec.escalate])
            self._judge(found, name, job, ledger, runs.setdefault(name, {}))
        if target is not None:
            self._choose(found, processors, runs, target)
        return found

    def _judge(
        self, found: Evaluation, name: str, job: Job, ledger: Ledger, runs: dict[str, StoredRun]
    ) -> None:
        """Judge the labelled cells of one setting; keep each task's answered run in `runs`, by its record."""
        alone = not job.spec.escalate
        resolver = RowResolver(job.spec, job.reader.source.schema, ledger, decided=False)
        keys = self.source.keys_of(job)
        tasks = {key: item for key, item in zip(keys, self.labelled.tasks, strict=True) if key is not None}
        answered: dict[bytes, tuple[ResolvedRow, list[StoredRun]]] = {}
        for stored in ledger.runs_by_task(list(tasks)):
            made = [run for run in stored if run.first] if alone else stored
            if made:
                answered[made[0].key] = resolver.resolve(made), made
        pairs: list[Pair] = []
        unanswered, cost, rows = Counter[str](), 0, 0
        for task, item in tasks.items():
            resolved, stored = answered.get(task, (None, []))
            if resolved is None or resolved.status is RowStatus.PENDING:
                unanswered.update(list(item.labels))
                continue
            rows, cost = rows + 1, cost + price(current(stored), ledger)
            runs[item.record] = _answered(stored)
            pairs += _pairs(self._comparisons, resolver.fields, item, resolved)
        pairs = weighted(pairs, self.truth.strata)
        found.pairs[name] = pairs
        found.fields += field_results(name, resolver.fields, pairs, unanswered)
        found.settings.append(Setting(name, rows, sum(pair.outcome is Outcome.RIGHT for pair in pairs), cost))

    def _choose(
        self,
        found: Evaluation,
        processors: Sequence[str],
        runs: dict[str, dict[str, StoredRun]],
        target: float,
    ) -> None:
        job, spec = self.own_job, self.job.spec
        names = {name for task in self.labelled.tasks for name in task.labels}
        labelled = [item.name for item in fields(spec) if item.name in names]
        prices = {name: list_price(job, name) for name in processors}
        rows = list(self._answers(found.labelled.tasks, runs))
        simulation = Simulation(spec, prices, rows, self._comparisons)
        candidates = [simulation.candidate(policy) for policy in grid(processors, prices, labelled)]
        candidates += [simulation.candidate(policy) for policy in with_own_bars(candidates, labelled, target)]
        found.candidates, found.choice = candidates, choose(candidates, labelled, target)

    def _answers(
        self, tasks: Sequence[LabelledTask], runs: dict[str, dict[str, StoredRun]]
    ) -> Iterator[LabelledAnswers]:
        """Yield each labelled task with its runs by processor, and its weights."""
        strata = self.truth.strata
        rows = Counter(strata[task.record][0] for task in tasks if task.record in strata)
        labels = Counter(
            (strata[task.record][0], name) for task in tasks if task.record in strata for name in task.labels
        )
        for task in tasks:
            made = {name: stored[task.record] for name, stored in runs.items() if task.record in stored}
            stratum, size = strata.get(task.record, ("", 0))
            weights = {name: size / labels[stratum, name] if size else 1.0 for name in task.labels}
            yield LabelledAnswers(task, made, size / rows[stratum] if size else 1.0, weights)


def evaluator(  # noqa: PLR0913 - the truth, by name
    job: Job,
    ledger: Ledger,
    truth: str | Source,
    *,
    key: str | None,
    none_marker: str,
    target: float | None,
    drawn: str | Source | None = None,
) -> Evaluator:
    """Return the evaluator for a table of labels, or for the decisions of reviewers if `truth` is `reviewed`.

    `drawn` is the sample that was drawn to be reviewed: of the decisions only those on its rows count.

    Raises:
        UsageError: the truth or the key does not work, or the target would be reached by a sample that people selected.
        TableError: the truth cannot be read.
    """
    if drawn is not None:
        if truth != REVIEWED or key is None:
            raise UsageError("--drawn needs --truth reviewed and --key COLUMN")
        sample = read_truth(drawn, key, label_columns(job.spec), none_marker, "--drawn")
        return Evaluator(job, *drawn_and_reviewed(job, ledger, sample, key, complete=target is not None))
    if truth == REVIEWED:
        if target is not None:
            raise UsageError(
                "a target needs labels of a random sample. Rows are reviewed because they look doubtful: a policy that is right there may"
                " be wrong elsewhere. Draw a sample with --draw, review it, and name it: --drawn FILE"
            )
        return Evaluator(job, *reviewed(job, ledger))
    if key is None:
        raise UsageError("a table of labels needs its key: give --key COLUMN")
    labels = read_truth(truth, key, label_columns(job.spec), none_marker)
    rows = rows_by_key(job.reader.source, key, labels)
    if not rows.numbers:
        raise UsageError(_without_overlap(labels, key))
    return Evaluator(job, labels, rows)


def _without_overlap(truth: Truth, key: str) -> str:
    """Return why no row of the table is labelled."""
    if truth.labels:
        return f"no row of the table has a key of the truth: its column {key} has {', '.join(list(truth.labels)[:3])}, ..."
    return "the truth has no labels: the cells of all fields are blank, or every key comes more than once"


def list_price(job: Job, processor: str) -> int:
    """Return the list price of a run in micro-US$, also where the local server answers for nothing."""
    return replace(job, spec=job.spec.model_copy(update={"backend": "parallel"})).price_of(processor)


def _answered(stored: Sequence[StoredRun]) -> StoredRun:
    """Return the run that answered a task, else its last one."""
    firsts = [run for run in stored if run.first and run.state not in ACTIVE]
    completed = [run for run in firsts if run.state is RunState.COMPLETED]
    return (completed or firsts or list(stored))[-1]


def _pairs(
    comparisons: Comparisons, parts: Sequence[Field], item: LabelledTask, resolved: ResolvedRow
) -> list[Pair]:
    return [
        judge_cell(comparisons, item.record, item.row, part.name, item.labels[part.name], cell)
        for part, cell in zip(parts, resolved.cells, strict=True)
        if part.name in item.labels and not says_nothing(comparisons, part.name, item.labels[part.name], cell)
    ]

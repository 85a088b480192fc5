"""The cheapest policy that reaches a target, chosen on one half of the labels and certified on the other.

A policy is a ladder of processors and a bar of confidence. A simulated ladder resolves stored answers with the rules of a real one. It reuses answers to the whole question, while a real
ladder asks the next processor for the open fields only, with the accepted values as an input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from itertools import combinations, product
from typing import Any, NamedTuple

import msgspec

from rowcite.accept.policy import AcceptancePolicy, acceptance_policy
from rowcite.api.answers import answer
from rowcite.evaluation.judging import GIVEN, Outcome, Pair
from rowcite.evaluation.statistics import labels_to_certify, lower_bound
from rowcite.model import RunState, StoredRun
from rowcite.pipeline.next_step import next_step
from rowcite.rows.resolve import ResolvedRow, resolve
from rowcite.spec.fields import Field
from rowcite.spec.models import Spec

MOST_POLICIES = 200
BARS: tuple[str | None, ...] = (None, "medium", "high")
LEVEL = 0.9


class Policy(NamedTuple):
    """A ladder of processors and the least confidence that is accepted; None is the spec's own `accept`."""

    ladder: tuple[str, ...]
    bar: str | None

    def __str__(self) -> str:
        return " > ".join(self.ladder) + (f" at {self.bar}" if self.bar else "")

    def yaml(self) -> str:
        """Return the keys of a spec that make this policy."""
        lines = ["task:", f"  processor: {self.ladder[0]}"]
        lines += [f"escalate: [{', '.join(self.ladder[1:])}]"] if len(self.ladder) > 1 else []
        return "\n".join([*lines, *(["accept:", f"  min_confidence: {self.bar}"] if self.bar else [])])


def grid(processors: Sequence[str], prices: Mapping[str, int]) -> list[Policy]:
    """Return at most 200 policies over some processors: ladders from cheap to dear, short ones first."""
    cheap_first = sorted(dict.fromkeys(processors), key=lambda name: prices[name])
    ladders = (
        ladder for size in range(1, len(cheap_first) + 1) for ladder in combinations(cheap_first, size)
    )
    return [Policy(ladder, bar) for ladder, bar in product(ladders, BARS)][:MOST_POLICIES]


class Simulation:
    """Simulates policies on the stored answers of one spec."""

    def __init__(self, spec: Spec, fields: tuple[Field, ...], day: date) -> None:
        self._spec, self._fields, self._day = spec, fields, day
        self._policies: dict[str | None, AcceptancePolicy] = {}

    def row(self, runs: Mapping[str, StoredRun], policy: Policy) -> tuple[ResolvedRow, int] | None:
        """Return a row under a policy and its cost in micro-US$; None if an answer that it needs is not stored.

        `runs` are the row's runs by processor, each for the whole question.
        """
        accept = self._accept(policy.bar)
        if (first := runs.get(policy.ladder[0])) is None:
            return None
        made, cost = [first], first.price
        resolved = resolve(made, accept, self._day)
        while (step := next_step(policy.ladder[1:], accept, resolved, made)) is not None:
            if (more := runs.get(step.processor)) is None:
                return None
            made.append(_retry(more, first, step.fields, len(made)))
            cost += more.price
            resolved = resolve(made, accept, self._day)
        return resolved, cost

    def _accept(self, bar: str | None) -> AcceptancePolicy:
        if bar not in self._policies:
            accept = self._spec.accept
            changed = accept if bar is None else accept.model_copy(update={"min_confidence": bar})
            self._policies[bar] = acceptance_policy(self._fields, changed)
        return self._policies[bar]


def _retry(run: StoredRun, first: StoredRun, fields: Sequence[str], number: int) -> StoredRun:
    """Return a run as the escalation of another: only the fields that were open."""
    output = None
    if run.state is RunState.COMPLETED and run.output is not None:
        output = _narrowed(run, fields)
    return run._replace(key=first.key, first=False, number=first.number + number, output=output)


def _narrowed(run: StoredRun, fields: Sequence[str]) -> bytes:
    try:
        read = answer(run.run_id or "", run.processor, run.output or b"")
    except ValueError:
        return run.output or b""
    if not isinstance(read.content, dict):
        return run.output or b""
    content: dict[str, Any] = {name: read.content.get(name) for name in fields}
    basis = [item for item in read.basis if item.field.partition(".")[0] in fields]
    return msgspec.json.encode({"type": "json", "content": content, "basis": basis})


# --- what a policy gives ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """The accepted cells of a policy over some rows: hits and cells by field (weighted, and the effective number), cost, right cells."""

    rows: int = 0
    cost: float = 0.0
    right: int = 0
    valued: int = 0
    _sums: dict[str, list[float]] = field(default_factory=dict)

    def add(self, pairs: Sequence[Pair], cost: int) -> None:
        """Add a row."""
        self.rows += 1
        self.cost += cost
        for pair in pairs:
            self.valued += pair.label is not None
            self.right += pair.outcome is Outcome.RIGHT
            if pair.outcome in GIVEN:
                sums = self._sums.setdefault(pair.field, [0.0, 0.0, 0.0])
                sums[0] += pair.weight * (pair.outcome is Outcome.RIGHT)
                sums[1] += pair.weight
                sums[2] += pair.weight**2

    def precision(self, name: str) -> float | None:
        """Return the share of a field's accepted cells that is right."""
        sums = self._sums.get(name)
        return sums[0] / sums[1] if sums else None

    def bound(self, name: str) -> float:
        """Return the one-sided bound of that share, by the effective number of cells."""
        sums = self._sums.get(name)
        if not sums:
            return 0.0
        n = int(sums[1] ** 2 / sums[2] + 1e-9)
        return lower_bound(int(sums[0] / sums[1] * n + 1e-9), n, LEVEL)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy with its cells on the half that chooses, on the half that certifies, and on both. Money is micro-US$."""

    policy: Policy
    choosing: Tally
    certifying: Tally
    whole: Tally

    @property
    def cost_per_row(self) -> float:
        """Return what a row costs."""
        return self.whole.cost / self.whole.rows if self.whole.rows else 0.0

    @property
    def found(self) -> float:
        """Return the share of the values that there are which the policy gives right."""
        return self.whole.right / self.whole.valued if self.whole.valued else 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """The policy for a target. `labels_needed` is set where it is not certified: the labels a field needs in all, None if no number would do."""

    candidate: Candidate
    certified: bool
    weakest: str
    labels_needed: int | None = None


def is_choosing(record: str) -> bool:
    """Return True if a label belongs to the half that chooses: by its row's key, so that more labels do not move it."""
    return blake2b(record.encode(), digest_size=1).digest()[0] % 2 == 0


def choose(candidates: Sequence[Candidate], fields: Sequence[str], target: float) -> Choice | None:
    """Return the cheapest certified policy for a target precision of each field, else the best one, not certified.

    The half that chooses orders the policies that reach the target there, the safest first. They are tested in that order on
    the other half, each by a one-sided 90% bound in every field, until one fails: so the chance that any certified policy is below the target is at
    most 10%.
    """
    ahead = [item for item in candidates if item.choosing.rows and _reaches(item.choosing, fields, target)]
    ahead.sort(key=lambda item: (-_safety(item.choosing, fields), item.cost_per_row))
    certified = list(_certified(ahead, fields, target))
    if certified:
        best = min(certified, key=lambda item: (item.cost_per_row, -item.found))
        return Choice(best, certified=True, weakest=_weakest(best.certifying, fields))
    rest = ahead or sorted(candidates, key=lambda item: -_safety(item.whole, fields))
    if not rest:
        return None
    best = rest[0]
    weakest = _weakest(best.whole, fields)
    half = labels_to_certify(best.whole.precision(weakest) or 0.0, target, LEVEL)
    return Choice(best, certified=False, weakest=weakest, labels_needed=None if half is None else 2 * half)


def _certified(candidates: Sequence[Candidate], fields: Sequence[str], target: float) -> Iterator[Candidate]:
    for item in candidates:
        if _safety(item.certifying, fields) < target:
            return
        yield item


def _reaches(tally: Tally, fields: Sequence[str], target: float) -> bool:
    return all((tally.precision(name) or 0.0) >= target for name in fields)


def _safety(tally: Tally, fields: Sequence[str]) -> float:
    return min((tally.bound(name) for name in fields), default=0.0)


def _weakest(tally: Tally, fields: Sequence[str]) -> str:
    return min(fields, key=tally.bound)


def front(candidates: Sequence[Candidate], quality: Callable[[Candidate], float]) -> list[Candidate]:
    """Return the candidates that no other beats in cost and quality, the cheapest first."""
    kept: list[Candidate] = []
    for item in sorted(candidates, key=lambda item: (item.cost_per_row, -quality(item))):
        if not kept or quality(item) > quality(kept[-1]):
            kept.append(item)
    return kept

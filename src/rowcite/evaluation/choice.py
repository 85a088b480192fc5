"""What policies give on labelled rows, and the cheapest one that is certified for a target. Pure.

Half of the labels chooses, the other half certifies: a policy that won by chance does not count by the same chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from rowcite.evaluation.policies import BARS, MOST_POLICIES, Policy
from rowcite.evaluation.statistics import labels_to_certify, lower_bound, wilson

LEVEL = 0.9


class FieldSums(NamedTuple):
    """The accepted cells of a field: the weight of those that are right, of all, and the sum of its squares."""

    right: float
    given: float
    squares: float

    def __add__(self, other: tuple[Any, ...]) -> FieldSums:
        """Return the sums of both."""
        return FieldSums(*map(sum, zip(self, other, strict=True)))


@dataclass(frozen=True, slots=True)
class Tally:
    """The accepted cells of a policy over some labelled rows: `sums` by field.

    `weight` is the number of rows that these stand for, `cost` (micro-US$) what those cost, `valued` how many values they have.
    """

    rows: int = 0
    weight: float = 0.0
    cost: float = 0.0
    valued: float = 0.0
    sums: Mapping[str, FieldSums] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        """Return the tally of both."""
        nothing = FieldSums(0, 0, 0)
        names = self.sums.keys() | other.sums.keys()
        return Tally(
            self.rows + other.rows,
            self.weight + other.weight,
            self.cost + other.cost,
            self.valued + other.valued,
            {name: self.sums.get(name, nothing) + other.sums.get(name, nothing) for name in names},
        )

    @property
    def right(self) -> float:
        """Return how many values are given right."""
        return sum(sums.right for sums in self.sums.values())

    def precision(self, name: str) -> float | None:
        """Return the share of a field's accepted cells that is right."""
        sums = self.sums.get(name)
        return sums.right / sums.given if sums else None

    def bound(self, name: str) -> float:
        """Return the one-sided bound of that share, by the effective number of cells."""
        sums = self.sums.get(name)
        if not sums:
            return 0.0
        n = int(sums.given**2 / sums.squares + 1e-9)
        return lower_bound(int(sums.right / sums.given * n + 1e-9), n, LEVEL)


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
        return self.whole.cost / self.whole.weight if self.whole.weight else 0.0

    @property
    def found(self) -> float:
        """Return the share of the values that there are which the policy gives right."""
        return self.whole.right / self.whole.valued if self.whole.valued else 0.0

    @property
    def found_interval(self) -> tuple[float, float]:
        """Return the 95% interval of `found`, as wide as if the values of a row were right or wrong together.

        The number of labels is that of the field with the most accepted cells. Without any the interval is the whole scale.
        """
        labels = [sums.given**2 / sums.squares for sums in self.whole.sums.values() if sums.squares]
        return wilson(self.found, max(labels)) if labels else (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Choice:
    """The policy for a target, and its weakest field. `all_certified` has every policy that is certified.

    `labels_needed` is set where it is not certified: the labelled rows that would do, None if no number would.
    """

    candidate: Candidate
    certified: bool
    weakest: str
    labels_needed: int | None = None
    all_certified: tuple[Candidate, ...] = ()

    @property
    def judged_by(self) -> Tally:
        """Return the rows that its figures are about: those that certify it, else all."""
        return self.candidate.certifying if self.certified else self.candidate.whole


def is_choosing(record: str) -> bool:
    """Return True if a label belongs to the half that chooses: by its row's key, so that more labels do not move it."""
    return blake2b(record.encode(), digest_size=1).digest()[0] % 2 == 0


def with_own_bars(candidates: Sequence[Candidate], fields: Sequence[str], target: float) -> list[Policy]:
    """Return policies with a bar for each field, by the half that chooses, of ladders that were tried with one bar for all.

    For each ladder the lowest bars that reach the target there, and those with the best bounds.
    """
    by_ladder: dict[tuple[tuple[str, ...], str | None], dict[str | None, Tally]] = {}
    for item in candidates:
        policy = item.policy
        by_ladder.setdefault((policy.ladder, policy.retry_for), {})[policy.bar] = item.choosing
    found: dict[Policy, None] = {}
    for (ladder, retry_for), tallies in by_ladder.items():
        if len(tallies) < len(BARS):
            continue
        for pick in (_lowest_bar, _safest_bar):
            chosen = {name: pick(tallies, name, target) for name in fields}
            bars = tuple((name, bar) for name, bar in chosen.items() if bar is not None)
            if len(set(chosen.values())) > 1:
                found[Policy(ladder, None, bars, retry_for)] = None
    return list(found)[: max(MOST_POLICIES - len(candidates), 0)]


def _lowest_bar(tallies: dict[str | None, Tally], name: str, target: float) -> str | None:
    reached = (bar for bar in BARS if (tallies[bar].precision(name) or 0.0) >= target)
    return next(reached, _safest_bar(tallies, name, target))


def _safest_bar(tallies: dict[str | None, Tally], name: str, _: float) -> str | None:
    return max(BARS, key=lambda bar: tallies[bar].bound(name))


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
        weakest = _weakest(best.certifying, fields)
        return Choice(best, certified=True, weakest=weakest, all_certified=tuple(certified))
    judged = [item for item in candidates if item.whole.rows]
    rest = ahead or sorted(judged, key=lambda item: -_safety(item.whole, fields))
    if not rest:
        return None
    best = rest[0]
    weakest = _weakest(best.whole, fields)
    return Choice(best, certified=False, weakest=weakest, labels_needed=_needed(best.whole, weakest, target))


def _needed(tally: Tally, name: str, target: float) -> int | None:
    """Return how many labelled rows have as many accepted cells of a field, in either half, as would certify a target."""
    half = labels_to_certify(tally.precision(name) or 0.0, target, LEVEL)
    return None if half is None else math.ceil(2 * half * tally.weight / tally.sums[name].given)


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


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that no other beats in cost and in values given right, the cheapest first."""
    kept: list[Candidate] = []
    for item in sorted(candidates, key=lambda item: (item.cost_per_row, -item.found)):
        if not kept or item.found > kept[-1].found:
            kept.append(item)
    return kept

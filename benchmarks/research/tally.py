"""Counts of right and wrong answers, by field type and confidence, as Markdown tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import sqrt

_LEVELS = ("high", "medium", "low")


@dataclass
class Tally:
    """Answers counted by (field type, confidence, right), and truths that the text holds."""

    answers: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    standing: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    formerly: Counter[bool] = field(
        default_factory=Counter
    )  # what stood by the rules before, and whether it was found

    def count(self, family: str, confidence: str | None, *, right: bool, stands: bool) -> None:
        """Count one field; `confidence` None means that nothing was answered."""
        if confidence is not None:
            self.answers[family, confidence, right] += 1
        if stands:
            self.standing[family] += 1
            self.found[family] += confidence is not None and right

    def of(self, level: str, family: str | None = None) -> tuple[int, int]:
        """Return right and given answers at a confidence level."""
        chosen = [
            (right, n)
            for (kind, confidence, right), n in self.answers.items()
            if confidence == level and family in {None, kind}
        ]
        return sum(n for right, n in chosen if right), sum(n for _, n in chosen)


def wilson(right: int, total: int) -> float:
    """Return the lower end of the 95% Wilson score interval."""
    if not total:
        return 0.0
    z, share = 1.96, right / total
    centre = share + z * z / (2 * total)
    spread = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return (centre - spread) / (1 + z * z / total)


def calibration(parts: dict[str, Tally]) -> str:
    """Return a table: a row for each corpus, right/n and the lower bound for each confidence, and recall."""
    lines = [
        "| corpus | high | medium | low | found of those that stand in the text |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, tally in parts.items():
        cells = [_share(*tally.of(level)) for level in _LEVELS]
        lines.append(
            f"| {name} | {' | '.join(cells)} | {_plain(sum(tally.found.values()), sum(tally.standing.values()))} |"
        )
    return "\n".join(lines)


def by_type(tally: Tally) -> str:
    """Return a table: a row for each field type."""
    families = sorted({family for family, _, _ in tally.answers} | set(tally.standing))
    lines = ["| type | high | medium | low | precision | recall |", "| --- | --- | --- | --- | --- | --- |"]
    for family in families:
        cells = [_plain(*tally.of(level, family)) for level in _LEVELS]
        right, given = (
            sum(pair) for pair in zip(*(tally.of(level, family) for level in _LEVELS), strict=True)
        )
        lines.append(
            f"| {family} | {' | '.join(cells)} | {_plain(right, given)} | {_plain(tally.found[family], tally.standing[family])} |"
        )
    return "\n".join(lines)


def former_recall(tally: Tally) -> str:
    """Return what was found of what stood in the text, by the rules before."""
    return _plain(tally.formerly[True], tally.formerly.total())


def _share(right: int, total: int) -> str:
    return f"{right}/{total} = {right / total:.0%} (≥ {wilson(right, total):.0%})" if total else "-"


def _plain(right: int, total: int) -> str:
    return f"{right}/{total} = {right / total:.0%}" if total else "-"

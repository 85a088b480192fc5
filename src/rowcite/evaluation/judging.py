"""Labels compared with cells: the outcome of each labelled cell, and the counts by field. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from rowcite.accept.evidence import LEVELS, score
from rowcite.accept.judge import Cell
from rowcite.evaluation.equality import ListMatch, Same, comparison, element_comparison, elements, match_lists
from rowcite.evaluation.statistics import labels_to_halve, ratio, share
from rowcite.evaluation.truth import NotThese
from rowcite.model import Share
from rowcite.spec.accept_models import EvalField
from rowcite.spec.fields import Field


class Outcome(StrEnum):
    """What became of a labelled cell."""

    RIGHT = "right"  # accepted, and the label's value
    WRONG = "wrong"  # accepted, and another value than the label's
    INVENTED = "invented"  # accepted, and there is truly nothing
    MISSED = "missed"  # no accepted value, and there is one
    EMPTY = "empty"  # no accepted value, and there is truly nothing


GIVEN = frozenset({Outcome.RIGHT, Outcome.WRONG, Outcome.INVENTED})
"""The outcomes of accepted values."""


class Pair(NamedTuple):
    """A label and the cell it was compared with.

    `record` is what the key column has in its row. `label` is `NotThese` where only wrong values are known. `found` is the value as it was answered, accepted or not. `found_right` is True if it is the label's value: of a rejected
    one it shows that the rejection cost a right value. `parts` counts the elements of a list, `rejected_right` the right values
    (of a list its elements) that were rejected. `weight` is the number of tasks of the table that this one stands for.
    """

    record: str
    row: int
    field: str
    label: Any
    found: Any
    outcome: Outcome
    found_right: bool
    confidence: str
    rejection: str | None
    urls: tuple[str, ...]
    reasoning: str | None
    parts: ListMatch | None = None
    rejected_right: int = 0
    weight: float = 1.0


class Comparisons:
    """The comparisons of the fields of a spec. Equal pairs are compared once."""

    def __init__(self, fields: Sequence[Field], terms: Mapping[str, EvalField]) -> None:
        self._same: dict[str, Same] = {}
        self._elements: dict[str, Same] = {}
        self._known: dict[tuple[str, str, str], bool] = {}
        self._known_parts: dict[tuple[str, str, str], ListMatch] = {}
        for field in fields:
            own = terms.get(field.name, EvalField())
            self._same[field.name] = comparison(field, own)
            if field.type.kind == "array":
                self._elements[field.name] = element_comparison(field, own)

    def same(self, field: str, label: Any, found: Any) -> bool:
        """Return True if a found value is the label's."""
        if found is None:
            return False
        pair = (field, repr(label), repr(found))
        if pair not in self._known:
            self._known[pair] = self._same[field](label, found)
        return self._known[pair]

    def parts(self, field: str, label: Any, found: Any) -> ListMatch | None:
        """Return how a list compares with its label, None for another field. Of a list that is only known as wrong, each element is."""
        same = self._elements.get(field)
        if same is None:
            return None
        pair = (field, repr(label), repr(found))
        if pair not in self._known_parts:
            known = not isinstance(label, NotThese)
            labels, finds = (
                [] if value is None else elements(value) for value in (label if known else None, found)
            )
            self._known_parts[pair] = match_lists(labels, finds, same)
        return self._known_parts[pair]

    def right(self, field: str, label: Any, found: Any) -> int:
        """Return the number of right values in a found value: of a list its elements."""
        parts = self.parts(field, label, found)
        return int(self.same(field, label, found)) if parts is None else parts.right


def judge_cell(  # noqa: PLR0913, PLR0917 - a label and its place
    comparisons: Comparisons, record: str, row: int, field: str, label: Any, cell: Cell
) -> Pair:
    """Return the outcome of one labelled cell. A list that the spec keeps although it was rejected counts as rejected."""
    accepted = cell.value if cell.rejection is None else None
    found = cell.value if cell.value is not None else cell.found
    is_known = not isinstance(label, NotThese)
    found_right = label is not None and is_known and comparisons.same(field, label, found)
    if accepted is None:
        outcome = Outcome.EMPTY if label is None else Outcome.MISSED
    elif label is None:
        outcome = Outcome.INVENTED
    else:
        outcome = Outcome.RIGHT if found_right else Outcome.WRONG
    return Pair(
        record,
        row,
        field,
        label,
        found,
        outcome,
        found_right,
        level(cell.confidence),
        cell.rejection,
        tuple(citation.url for citation in cell.citations),
        cell.reasoning,
        comparisons.parts(field, label, accepted),
        comparisons.right(field, label, found) if outcome is Outcome.MISSED and is_known else 0,
    )


def says_nothing(comparisons: Comparisons, field: str, label: Any, cell: Cell) -> bool:
    """Return True if a label does not judge a cell: only wrong values are known, and the cell has none of them."""
    if not isinstance(label, NotThese):
        return False
    accepted = cell.value if cell.rejection is None else None
    return not any(comparisons.same(field, value, accepted) for value in label.values if value is not None)


def level(confidence: str | float | None) -> str:
    """Return a confidence as a word: `high`, `medium`, `low` or `none`."""
    if confidence is None:
        return "none"
    number = score(confidence)
    return next((word for word, least in reversed(LEVELS.items()) if number >= least), "none")


@dataclass(frozen=True, slots=True)
class FieldResult:
    """The labelled cells of one field under one setting, counted over distinct tasks.

    Of a list field the counts are those of elements, but for `labelled` and `unanswered`. `precision` is
    right / (right + wrong + invented), `recall` right / those with a value; `by_confidence` is the share of found values that are
    right, accepted or not.
    """

    setting: str
    field: str
    labelled: int
    right: int
    wrong: int
    missed: int
    invented: int
    empty: int
    rejected_right: int
    unanswered: int
    precision: Share
    recall: Share
    by_confidence: dict[str, Share]

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and the intervals as JSON."""
        counts = ("labelled", "right", "wrong", "missed", "invented", "empty", "rejected_right", "unanswered")
        return {
            "processor": self.setting,
            "field": self.field,
            **{name: getattr(self, name) for name in counts},
            "precision": self.precision.as_dict(),
            "recall": self.recall.as_dict(),
            "by_confidence": {name: item.as_dict() for name, item in self.by_confidence.items()},
            "labels_to_halve": labels_to_halve(self.precision),
        }


def field_results(
    setting: str, fields: Iterable[Field], pairs: Iterable[Pair], unanswered: Mapping[str, int]
) -> list[FieldResult]:
    """Return the counts of each field that has labels."""
    by_field: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        by_field[pair.field].append(pair)
    return [
        _result(setting, field, by_field[field.name], unanswered.get(field.name, 0))
        for field in fields
        if by_field[field.name] or unanswered.get(field.name)
    ]


def _result(setting: str, field: Field, pairs: list[Pair], unanswered: int) -> FieldResult:
    counts = (
        _elements_counted(pairs) if field.type.kind == "array" else Counter(pair.outcome for pair in pairs)
    )
    precision, recall = _precision_and_recall(field, pairs)
    return FieldResult(
        setting,
        field.name,
        labelled=len(pairs) + unanswered,
        right=counts[Outcome.RIGHT],
        wrong=counts[Outcome.WRONG],
        missed=counts[Outcome.MISSED],
        invented=counts[Outcome.INVENTED],
        empty=counts[Outcome.EMPTY],
        rejected_right=sum(pair.rejected_right for pair in pairs),
        unanswered=unanswered,
        precision=precision,
        recall=recall,
        by_confidence=_by_confidence(pairs),
    )


def _elements_counted(pairs: list[Pair]) -> Counter[Outcome]:
    counts = Counter[Outcome]()
    for pair in pairs:
        parts = pair.parts or ListMatch(0, 0, 0)
        counts[Outcome.RIGHT] += parts.right
        counts[Outcome.INVENTED if pair.label is None else Outcome.WRONG] += parts.wrong
        counts[Outcome.MISSED] += parts.missed
        counts[Outcome.EMPTY] += pair.outcome is Outcome.EMPTY
    return counts


def _precision_and_recall(field: Field, pairs: list[Pair]) -> tuple[Share, Share]:
    given = [pair for pair in pairs if pair.outcome in GIVEN]
    valued = [pair for pair in pairs if pair.label is not None and not isinstance(pair.label, NotThese)]
    if field.type.kind != "array":
        return _share(given, _is_right), _share(valued, _is_right)
    parts = [pair.parts or ListMatch(0, 0, 0) for pair in pairs]
    weights, right = [pair.weight for pair in pairs], [item.right for item in parts]
    return (
        ratio(right, [item.right + item.wrong for item in parts], weights),
        ratio(right, [item.right + item.missed for item in parts], weights),
    )


def _is_right(pair: Pair) -> bool:
    return pair.outcome is Outcome.RIGHT


def _share(pairs: Sequence[Pair], hit: Callable[[Pair], bool]) -> Share:
    return share([hit(pair) for pair in pairs], [pair.weight for pair in pairs])


def _by_confidence(pairs: Sequence[Pair]) -> dict[str, Share]:
    found = [pair for pair in pairs if pair.found not in (None, "", [])]
    return {
        word: _share(some, lambda pair: pair.found_right)
        for word in ("high", "medium", "low", "none")
        if (some := [pair for pair in found if pair.confidence == word])
    }


def weighted(pairs: Sequence[Pair], strata: Mapping[str, tuple[str, int]]) -> list[Pair]:
    """Return pairs with the number of tasks that each stands for: the size of its stratum over the labels of its field in it."""
    if not strata:
        return list(pairs)
    labels = Counter((pair.field, strata[pair.record][0]) for pair in pairs if pair.record in strata)
    return [
        pair._replace(weight=strata[pair.record][1] / labels[pair.field, strata[pair.record][0]])
        if pair.record in strata
        else pair
        for pair in pairs
    ]

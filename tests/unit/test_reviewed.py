"""Decisions as labels: what is right, what is wrong, and how far two reviewers agree."""

import json

import pytest

from rowcite.model import Decision
from rowcite.rows.reviewed import Agreement, Labels, agreements, labels, reviewed_cells
from rowcite.spec.fields import Field, FieldType

KEY, OTHER = b"k" * 16, b"o" * 16
FIELDS = (Field("size", FieldType("integer"), "size"), Field("city", FieldType("string"), "city"))


def made(who, verdict, value=None, *, answer=None, key=KEY, field="city", at=1.0):
    texts = [None if item is None else json.dumps(item) for item in (value, answer)]
    return Decision(key, field, verdict, texts[0], who, at, None, texts[1])


def cells_of(*decisions):
    """Return the decisions as `Ledger.decisions_by_reviewer` has them, read as labels."""
    found = {}
    for item in decisions:
        found.setdefault(item.key, {}).setdefault(item.field, {})[item.who] = item
    return reviewed_cells(found, FIELDS)


@pytest.mark.parametrize(
    ("decision", "value", "answer", "is_label"),
    [
        (made("ann", "accept", "Rome"), "Rome", "Rome", True),
        (made("ann", "accept", answer="Rome"), "Rome", "Rome", True),
        (made("ann", "correct", 5, answer="five", field="size"), 5, "five", True),
        (made("ann", "correct", "Oslo"), "Oslo", None, True),
        (made("ann", "blank", answer="Rome"), None, "Rome", True),
        (made("ann", "reject", "Rome", answer="Rome"), None, "Rome", False),
    ],
)
def test_a_decision_is_read_with_its_answer_and_the_right_value(decision, value, answer, is_label):
    (cell,) = cells_of(decision)
    assert (cell.value, cell.answer, cell.is_label) == (value, answer, is_label)
    assert (cell.task, cell.reviewer, cell.verdict) == (KEY, "ann", decision.verdict)


def test_decisions_without_a_known_value_and_on_other_fields_are_left_out():
    assert cells_of(made("ann", "accept"), made("ann", "accept", "x", field="gone")) == []


def test_labels_are_what_the_reviewers_agree_on():
    found = labels(
        cells_of(
            made("ann", "accept", "Rome "),
            made("bo", "correct", "rome", answer="Roma"),
            made("ann", "accept", 5, field="size"),
            made("bo", "correct", 6, answer=5, field="size"),
            made("ann", "reject", "Oslo", key=OTHER),
            made("ann", "blank", answer=5, key=OTHER, field="size"),
        )
    )
    assert found == Labels(
        {KEY: {"city": "Rome "}, OTHER: {"size": None}}, {OTHER: {"city": ["Oslo"]}}, [(KEY, "size")]
    )


@pytest.mark.parametrize(
    ("bo", "agree"),
    [
        (made("bo", "accept", "Rome"), 1),
        (made("bo", "correct", "ROME", answer="Rome"), 1),
        (made("bo", "correct", "Oslo", answer="Rome"), 0),
        (made("bo", "blank", answer="Rome"), 0),
        (made("bo", "reject", "Rome"), 0),
    ],
)
def test_two_reviewers_agree_unless_they_contradict_each_other(bo, agree):
    (found,) = agreements(cells_of(made("ann", "accept", "Rome"), bo))
    assert (found.first, found.second, found.cells, found.agree) == ("ann", "bo", 1, agree)
    assert [(one.reviewer, other.reviewer) for one, other in found.differing] == [("ann", "bo")] * (1 - agree)


def test_a_rejection_agrees_with_a_correction_of_the_same_answer():
    decisions = made("ann", "reject", "Rome"), made("bo", "correct", "Oslo", answer="Rome")
    assert agreements(cells_of(*decisions)) == [Agreement("ann", "bo", 1, [])]


def test_decisions_on_different_answers_are_not_compared():
    assert agreements(cells_of(made("ann", "accept", "Rome"), made("bo", "accept", "Oslo"))) == []

"""All runs of a row to its cells: which answer wins, and the effect of given values and decisions."""

import json
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rowcite.accept.policy import acceptance_policy
from rowcite.model import Decision, RowStatus, RunState, StoredRun
from rowcite.rows.given import has_blank, same
from rowcite.rows.resolve import current, resolve
from rowcite.rows.resolver import RowResolver
from rowcite.spec.accept_models import Accept
from rowcite.spec.fields import Field, FieldType

DAY = date(2026, 6, 1)
FIELDS = (
    Field("industry", FieldType("string"), "industry"),
    Field("count", FieldType("integer"), "count"),
)
KEY = b"k" * 16


def output(confidence="high", urls=("https://a.example/",), **values):
    """Return an answer in the API's form, with the same evidence for every field."""
    citations = [{"url": url, "excerpts": ["words"]} for url in urls]
    basis = [
        {"field": name, "reasoning": "because", "confidence": confidence, "citations": citations}
        for name in values
    ]
    return json.dumps({"type": "json", "content": values, "basis": basis}).encode()


def run(number, processor, answered=None, *, state=RunState.COMPLETED, error=None, first=None):
    """Return a run as the ledger stores it; number 1 is the first run."""
    first = number == 1 if first is None else first
    return StoredRun(KEY, state, f"r{number}", processor, answered, error, None, number=number, first=first)


def decision(verdict, value=None, note=None, **answer):
    text = None if value is None else json.dumps(value)
    made_on = json.dumps(answer["answer"]) if answer else None
    return Decision(KEY, "industry", verdict, text, "ana", 0.0, note, made_on)


def resolved(*runs, accept=None, **more):
    return resolve(runs, acceptance_policy(FIELDS, Accept(**(accept or {}))), DAY, **more)


def values(found):
    return [cell.value for cell in found.cells]


# --- one run ---------------------------------------------------------------------------------------------


def test_a_row_is_completed_when_every_value_is_accepted():
    found = resolved(run(1, "core", output(industry="Steel", count=5)))
    assert (values(found), found.status, found.error) == (["Steel", 5], RowStatus.COMPLETED, None)
    assert (found.run_ids, found.processors, found.has_rejected_values) == (("r1",), ("core",), False)


def test_a_rejected_value_makes_the_row_rejected_with_the_reason():
    found = resolved(
        run(1, "core", output("low", industry="Steel", count=None)), accept={"min_confidence": "high"}
    )
    assert (values(found), found.status) == ([None, None], RowStatus.REJECTED)
    assert found.error == "industry: confidence low, high required"
    assert (found.cells[0].rule, found.cells[0].found, found.has_rejected_values) == (
        "min_confidence",
        "Steel",
        True,
    )


@pytest.mark.parametrize("given", [None, {"count": "7"}])
@pytest.mark.parametrize(
    ("state", "status", "error"),
    [
        (RunState.INTENDED, RowStatus.PENDING, None),
        (RunState.SUBMITTED, RowStatus.PENDING, None),
        (RunState.FAILED, RowStatus.FAILED, "failed: no page"),
        (RunState.CANCELLED, RowStatus.FAILED, "cancelled: no page"),
        (RunState.ACTION_REQUIRED, RowStatus.FAILED, "action_required: no page"),
    ],
)
def test_a_row_without_an_answer_is_pending_or_failed(state, status, error, given):
    found = resolved(run(1, "core", state=state, error="no page"), given=given)
    assert (found.status, found.error) == (status, error)
    assert values(found) == [None, given and "7"]
    assert (found.run_ids, found.processors) == (("r1",), ("core",))


@pytest.mark.parametrize("given", [None, {"count": "7"}])
def test_an_answer_that_is_not_json_rejects_its_row(given):
    found = resolved(run(1, "core", b"<html>"), given=given)
    assert found.status == RowStatus.REJECTED
    assert "the answer is not JSON" in found.error


def test_a_row_without_runs_is_pending():
    assert resolved().status == RowStatus.PENDING


# --- several runs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "later", "wins"),
    [
        (output("low", industry="A"), output("high", industry="B"), "B"),
        (output("high", industry="A"), output("low", industry="B"), "A"),
        (output("high", industry="A"), output("medium", industry="B"), "A"),
        (output("high", industry="A"), output("high", industry="B"), "B"),
        (output("high", ("https://a.example/", "https://b.example/"), industry="A"), output("high", industry="B"), "A"),
        (output("high", ("https://x.a.example/", "https://y.a.example/"), industry="A"), output("high", industry="B"), "B"),
        (output("medium", industry="A"), output("high", industry=None), "A"),
        (output(0.6, industry="A"), output("high", industry="B"), "B"),
        (output("medium", industry="A"), output(None, industry="B"), "A"),
    ],
)  # fmt: skip
def test_the_best_answer_to_a_field_wins(base, later, wins):
    found = resolved(run(1, "lite", base), run(2, "core", later), accept={"min_citations": 1})
    assert found.cells[0].value == wins
    assert found.cells[0].processor == ("lite" if wins == "A" else "core")


@pytest.mark.parametrize("later", ["B", None])
def test_an_accepted_answer_wins_over_a_more_confident_rejected_one(later):
    accept = {"fields": {"industry": {"one_of": ["B"]}}}
    found = resolved(
        run(1, "lite", output("high", industry="A")),
        run(2, "core", output("low", industry=later)),
        accept=accept,
    )
    assert (found.cells[0].value, found.status) == (later, RowStatus.COMPLETED)


def test_each_field_has_its_own_best_run_and_the_row_names_all_of_them():
    found = resolved(
        run(1, "lite", output("high", industry="A", count="many")),
        run(2, "core", output("low", count="some")),
        run(3, "pro", output("medium", count=7)),
    )
    assert values(found) == ["A", 7]
    assert (found.run_ids, found.processors, found.status) == (
        ("r1", "r3"),
        ("lite", "pro"),
        RowStatus.COMPLETED,
    )


def test_a_retry_of_some_fields_leaves_the_others_as_they_were():
    accept = {"required": ["industry", "count"], "rules": ["industry is not null"]}
    found = resolved(
        run(1, "lite", output(industry="A", count=None)), run(2, "core", output(count=7)), accept=accept
    )
    assert (values(found), found.status) == (["A", 7], RowStatus.COMPLETED)


def test_of_two_answers_of_one_processor_the_newer_counts():
    found = resolved(
        run(1, "lite", output(count="x")),
        run(2, "core", output("high", count=7)),
        run(3, "core", output("low", count=8)),
    )
    assert found.cells[1].value == 8


def test_a_value_that_broke_a_rule_does_not_win_by_its_confidence():
    accept = {"rules": ["count > 0"]}
    found = resolved(
        run(1, "lite", output("high", count=-5)), run(2, "core", output("low", count=5)), accept=accept
    )
    assert (found.cells[1].value, found.status) == (5, RowStatus.COMPLETED)


def test_rules_hold_across_runs():
    accept = {"rules": ["industry <> 'Farm' or count < 100"], "required": ["count"]}
    found = resolved(
        run(1, "lite", output(industry="Farm")), run(2, "core", output(count=500)), accept=accept
    )
    assert (found.cells[1].rule, found.status) == ("rules.0", RowStatus.REJECTED)
    assert found.cells[0].value == "Farm"


def test_a_later_failed_run_is_reported_only_while_a_value_is_rejected():
    failed = run(2, "core", state=RunState.FAILED, error="no page")
    found = resolved(run(1, "lite", output(industry="A", count="x")), failed)
    assert found.error == 'count: "x" is not a whole number; core failed: no page'
    assert resolved(run(1, "lite", output(industry="A", count=1)), failed).error is None


def test_a_row_with_rejected_values_is_pending_while_a_retry_is_active():
    active = run(2, "core", state=RunState.SUBMITTED)
    found = resolved(run(1, "lite", output(industry="A", count="x")), active)
    assert (found.status, values(found)) == (RowStatus.PENDING, ["A", None])
    assert resolved(run(1, "lite", output(industry="A", count=1)), active).status == RowStatus.COMPLETED


def test_runs_before_the_newest_answered_first_run_do_not_count():
    old, retry = run(1, "lite", b"1"), run(2, "core", b"2")
    fresh = run(3, "lite", b"3", first=True)
    assert current([old, retry, fresh]) == [fresh]
    assert current([old, retry]) == [old, retry]
    failed = run(3, "lite", state=RunState.FAILED, first=True)
    assert current([old, retry, failed]) == [old, retry]


# --- given values ----------------------------------------------------------------------------------------


def test_a_given_value_is_kept_unchanged_and_the_other_fields_are_filled():
    found = resolved(run(1, "core", output(industry="Steel", count=5)), given={"count": "1,200 "})
    assert values(found) == ["Steel", "1,200 "]
    assert [cell.confidence for cell in found.cells] == ["high", "given"]
    assert (found.cells[1].citations, found.cells[1].run_id) == ((), None)


def test_a_found_value_that_differs_from_a_given_one_is_a_conflict():
    (conflict,) = resolved(run(1, "core", output(industry="Steel", count=5)), given={"count": "6"}).conflicts
    assert (conflict.field, conflict.given, conflict.cell.value, conflict.replaced) == (
        "count",
        "6",
        5,
        False,
    )


@pytest.mark.parametrize(
    ("kind", "given", "found", "alike"),
    [
        ("integer", "1,200", 1200, True), ("integer", "1200", 1201, False), ("integer", "many", 5, False), ("string", " steel  MILL", "Steel mill", True),
        ("string", "Steel", "Iron", False), ("number", "0.50", 0.5, True), ("date", "2020-01-01", date(2020, 1, 1), True), ("boolean", "TRUE", True, True),
    ],
)  # fmt: skip
def test_given_and_found_values_are_compared_as_their_type_or_as_texts(kind, given, found, alike):
    assert same(given, found, FieldType(kind)) is alike


@pytest.mark.parametrize(
    ("answered", "accept", "expected"),
    [
        (output(industry="Steel"), {}, "Steel"),
        (output(industry=None), {}, "Iron"),
        (output("low", industry="Steel"), {"min_confidence": "high"}, "Iron"),
        (output("low", industry="Steel"), {"min_confidence": "high", "on_reject": "keep"}, "Iron"),
    ],
)
def test_only_an_accepted_value_that_is_not_null_overwrites(answered, accept, expected):
    found = resolved(run(1, "core", answered), accept=accept, given={"industry": "Iron"}, overwrite=True)
    assert (found.cells[0].value, found.status) == (expected, RowStatus.COMPLETED)
    assert [conflict.replaced for conflict in found.conflicts] == ([True] if expected == "Steel" else [])


def test_a_rule_reads_given_values_and_rejects_only_found_ones():
    found = resolved(
        run(1, "core", output(industry="Farm", count=500)),
        accept={"rules": ["industry <> 'Farm' or count < 100"]},
        given={"industry": "Farm"},
    )
    assert (values(found), found.cells[1].rule, found.cells[0].rejection) == (["Farm", None], "rules.0", None)


def test_a_row_has_a_blank_if_a_column_is_empty_missing_or_a_blank_text():
    frame = pl.DataFrame({"a": ["x", " ", "N/A", None, "x"], "b": [1.0, 1.0, 1.0, 1.0, float("nan")]})
    wanted = has_blank(["a", "b"], frame.schema, ("", "N/A"))
    assert frame.select(wanted.alias("w"))["w"].to_list() == [False, True, True, True, True]
    assert frame.select(has_blank(["a", "c"], frame.schema, ("",)).alias("w"))["w"].to_list()[0] is True


# --- decisions -------------------------------------------------------------------------------------------


def test_a_correction_wins_over_everything():
    found = resolved(
        run(1, "core", output(industry="Steel", count=5)),
        given={"industry": "Iron"},
        decisions={"industry": decision("correct", "Copper", "their site says so")},
    )
    cell = found.cells[0]
    assert (cell.value, cell.confidence, cell.citations, cell.reasoning) == (
        "Copper",
        "reviewed",
        (),
        "their site says so",
    )


def test_a_correction_that_is_not_of_the_fields_type_is_rejected():
    decided = {"count": Decision(KEY, "count", "correct", '"many"', "ana", 0.0)}
    found = resolved(run(1, "core", output(count=5)), decisions=decided)
    assert (found.cells[1].value, found.cells[1].rule, found.status) == (None, "type", RowStatus.REJECTED)


def test_a_value_accepted_in_review_keeps_its_evidence_although_a_check_rejected_it():
    answered = output("low", industry="Steel", count=5)
    found = resolved(
        run(1, "core", answered),
        accept={"min_confidence": "high"},
        decisions={"industry": decision("accept")},
    )
    cell = found.cells[0]
    assert (cell.value, cell.confidence, cell.rejection, cell.rule) == ("Steel", "reviewed", None, None)
    assert [item.url for item in cell.citations] == ["https://a.example/"]
    assert found.error == "count: confidence low, high required"


def test_a_value_accepted_in_review_stays_when_a_later_run_finds_another():
    accepted = {"industry": decision("accept", "Steel")}
    first, later = (
        run(1, "lite", output("low", industry="Steel")),
        run(2, "core", output("high", industry="Iron")),
    )
    assert resolved(first, later).cells[0].value == "Iron"
    found = resolved(first, later, decisions=accepted)
    assert (found.cells[0].value, found.cells[0].run_id) == ("Steel", "r1")


def test_an_accepted_value_is_set_aside_when_the_row_has_another_answer():
    found = resolved(
        run(1, "lite", output(industry="Steel")),
        run(2, "lite", output("low", industry="Iron")),
        decisions={"industry": decision("accept", "Steel")},
    )
    assert (found.cells[0].value, found.cells[0].confidence) == ("Iron", "low")


@pytest.mark.parametrize("answer", ["Steel", None])
def test_a_cell_left_blank_is_completed_without_a_value_until_it_has_another_answer(answer):
    blank = {"industry": decision("blank", answer=answer)}
    found = resolved(run(1, "lite", output(industry=answer, count=5)), decisions=blank)
    assert (found.cells[0].value, found.cells[0].confidence) == (None, "reviewed")
    assert found.status == RowStatus.COMPLETED
    later = resolved(run(1, "lite", output(industry="Iron")), decisions=blank)
    assert (later.cells[0].value, later.cells[0].confidence) == ("Iron", "high")


def test_a_decision_stays_while_a_row_has_no_answer_at_all():
    accepted = {"industry": decision("accept", "Steel", answer="Steel")}
    found = resolved(run(1, "lite", None, state=RunState.FAILED), decisions=accepted)
    assert (found.cells[0].value, found.cells[0].confidence) == ("Steel", "reviewed")


def test_a_correction_stays_when_the_row_has_another_answer():
    corrected = {"industry": decision("correct", "Copper", answer="Steel")}
    assert resolved(run(1, "lite", output(industry="Iron")), decisions=corrected).cells[0].value == "Copper"


def test_a_given_value_is_never_left_blank():
    blank = {"industry": decision("blank", answer="Steel")}
    for overwrite in (True, False):
        found = resolved(
            run(1, "lite", output(industry="Steel")),
            given={"industry": "Iron"},
            overwrite=overwrite,
            decisions=blank,
        )
        assert found.cells[0].value == "Iron"


def test_a_rejection_in_review_applies_to_that_value_only():
    rejected = {"industry": decision("reject", "Steel", "wrong firm")}
    found = resolved(run(1, "lite", output(industry="Steel")), decisions=rejected)
    assert (found.cells[0].value, found.cells[0].rule, found.status) == (None, "review", RowStatus.REJECTED)
    assert found.cells[0].rejection == "rejected by ana: wrong firm"
    assert resolved(run(1, "lite", output(industry="Iron")), decisions=rejected).cells[0].value == "Iron"


def test_a_rejection_without_a_value_applies_to_every_value():
    for value in ("Steel", "Iron"):
        found = resolved(run(1, "lite", output(industry=value)), decisions={"industry": decision("reject")})
        assert found.cells[0].rule == "review"


def test_a_rule_never_rejects_a_decided_value():
    found = resolved(
        run(1, "core", output(industry="Farm", count=500)),
        accept={"rules": ["industry <> 'Farm' or count < 100"]},
        decisions={"industry": decision("accept", "Farm")},
    )
    assert (found.cells[0].value, found.cells[0].confidence, found.cells[1].rule) == (
        "Farm",
        "reviewed",
        "rules.0",
    )


# --- the column's own type -------------------------------------------------------------------------------


class Stored:
    """A ledger with one task."""

    def __init__(self, *runs, decisions=None):
        self.runs, self.decided = list(runs), decisions or {}

    def runs_by_task(self, keys):
        yield from [self.runs] if self.runs else []

    def decisions(self, keys):
        return {KEY: self.decided}


def resolved_into(make_spec, column, values, *runs, existing="fill", kind="number", **stored):
    """Return the row of the one group of a table with a column `size` of this type."""
    spec = make_spec({"outputs": {"size": kind}}, columns={"existing": existing})
    frame = pl.DataFrame({"size": values}, schema={"size": column})
    resolver = RowResolver(spec, frame.schema, Stored(*runs, **stored))
    (group,) = resolver.groups(pl.Series([KEY], dtype=pl.Binary), frame)
    return group.resolved


@pytest.mark.parametrize(
    ("kind", "column", "value", "fits"),
    [
        ("integer", pl.Int8, 127, True),
        ("integer", pl.Int8, 128, False),
        ("integer", pl.UInt8, -1, False),
        ("integer", pl.String, 128, True),
        ("number", pl.Float32, 0.5, True),
        ("number", pl.Float32, 0.1, False),
        ("number", pl.Float32, 1e300, False),
        ("number", pl.Float64, 0.1, True),
        ("integer", pl.Float64, 2**53, True),
        ("integer", pl.Float64, 2**53 + 1, False),
    ],
)
def test_a_found_value_that_its_column_cannot_hold_is_rejected(make_spec, kind, column, value, fits):
    row = resolved_into(make_spec, column, [None], run(1, "core", output(size=value)), kind=kind)
    assert row.status == (RowStatus.COMPLETED if fits else RowStatus.REJECTED)
    assert row.cells[0].rule == (None if fits else "type")
    assert row.cells[0].value == (value if fits else None)


def test_a_value_that_does_not_fit_does_not_replace_a_given_one(make_spec):
    answered = run(1, "core", output(size=300))
    row = resolved_into(make_spec, pl.Int8, [5], answered, existing="overwrite", kind="integer")
    assert row.error == "size: 300 does not fit the column's type Int8"
    assert [conflict.replaced for conflict in row.conflicts] == [False]


def test_a_correction_that_does_not_fit_the_column_is_rejected(make_spec):
    decisions = {"size": Decision(KEY, "size", "correct", "300", "ana", 0.0)}
    row = resolved_into(make_spec, pl.Int8, [None], kind="integer", decisions=decisions)
    assert (row.cells[0].value, row.cells[0].rule) == (None, "type")


# --- any answers --------------------------------------------------------------------------------------

OUTPUTS = st.one_of(
    st.binary(max_size=20),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.sampled_from(["high", "Steel", "https://a.example/2020/01/"])),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["type", "content", "basis", "field", "confidence", "citations", "url", "industry", "count"]), inner, max_size=4),
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip
STRICT = {
    "min_confidence": "medium", "min_domains": 1, "distrusted_domains": ["x.example"], "max_age": "9d",
    "required": ["count"], "rules": ["count > 0 or industry is not null"],
}  # fmt: skip


@given(
    st.lists(st.tuples(OUTPUTS, st.booleans(), st.sampled_from(list(RunState))), max_size=3), st.booleans()
)
def test_any_runs_resolve_to_a_row(answers, is_given):
    runs = [
        run(number, f"p{number}", raw, state=state, first=first)
        for number, (raw, first, state) in enumerate(answers, 1)
    ]
    found = resolved(*runs, accept=STRICT, given={"industry": "Iron"} if is_given else None)
    assert len(found.cells) == 2
    assert (found.status == RowStatus.COMPLETED) <= (not found.has_rejected_values)
    assert not is_given or found.cells[0].value == "Iron"
    assert all(cell.value is None or cell.rejection is None for cell in found.cells)

"""What a report counts, and which rows it shows."""

import time
from contextlib import closing

import pytest

from rowcite.api.facts import PROCESSORS
from rowcite.ledger import open_ledger
from rowcite.model import Decision, RowStatus, Task
from rowcite.report.facts import CellState, ReviewReason, RowView
from rowcite.report.gather import gather
from rowcite.report.row_sample import RowSample
from rowcite.report.work import PAUSE, sessions, timeline
from support.answers import answer, answered, found, known, ready


def gathered(path, **how):
    prepared = ready(path)
    with closing(open_ledger(prepared.ledger, writing=False)) as ledger:
        return gather(prepared.job, ledger, **how)


def decide(path, *decisions):
    with closing(open_ledger(ready(path).ledger, writing=True)) as ledger:
        ledger.record_decisions(decisions)


def key_of(facts, label):
    return next(row.key for row in facts.rows if row.label == label)


def test_every_row_is_counted_once_by_status(some):
    assert gathered(some).counts.as_dict() == {
        "total": 6,
        "completed": 1,
        "rejected": 2,
        "failed": 1,
        "pending": 1,
        "skipped": 1,
    }


def test_cells_are_counted_by_field_and_state(some):
    cells = gathered(some).cells
    assert cells["industry"] == {CellState.HIGH: 1, CellState.REJECTED: 2}
    assert cells["employee_count"] == {CellState.MEDIUM: 1, CellState.HIGH: 1, CellState.REJECTED: 1}
    assert cells["listed"][CellState.EMPTY] == 2


def test_the_cells_of_a_field_sum_to_the_answered_rows(some):
    facts = gathered(some)
    assert {sum(states.values()) for states in facts.cells.values()} == {facts.answered} == {3}


def test_rows_to_review_have_their_reasons(some):
    facts = gathered(some)
    reasons = {row.label: row.reasons for row in facts.rows}
    assert reasons == {
        "Good": (),
        "Unsure": ("rejected",),
        "Lost": ("rejected",),
        "Broken": ("failed",),
        "Waiting": (),
    }
    assert facts.to_review == 3


def test_causes_are_counted_without_varying_numbers(tmp_path):
    path = known(tmp_path, [{"id": str(n), "name": f"N{n}"} for n in range(3)])
    answered(path, [f"The run failed: request req_{n}123abc took {n}.5 s" for n in range(3)])
    assert list(gathered(path).causes.values()) == [3]


def test_domains_count_the_cells_that_cite_them(some):
    assert gathered(some).domains == {"source.example": 6, "register.example": 1}


def test_failed_runs_are_counted_apart_in_the_spend(some):
    (item,) = gathered(some).spend
    assert (item.failed, item.failed_cost) == (1, 25_000)


def test_spend_is_runs_times_price(some):
    facts = gathered(some)
    assert (facts.runs, facts.spent) == (5, 5 * PROCESSORS["core"].price)


def test_rows_with_the_same_input_are_shown_once_with_their_number(tmp_path):
    path = known(tmp_path, [{"id": str(n), "name": "Same"} for n in range(4)])
    answered(path, [answer()])
    facts = gathered(path)
    assert (facts.requested, facts.tasks, facts.to_review) == (4, 1, 4)
    assert [(row.number, row.duplicates) for row in facts.rows] == [(1, 3)]


def test_a_decided_row_needs_no_review(some):
    key = key_of(gathered(some), "Lost")
    decide(some, Decision(key, "industry", "correct", '"locks"', "ann", 1.0))
    facts = gathered(some)
    row = next(row for row in facts.rows if row.label == "Lost")
    assert (row.status, row.reasons, row.cells[0].value) == ("completed", (), "locks")
    assert facts.cells["industry"][CellState.REVIEWED] == 1


def test_a_review_shows_answers_without_decisions(some):
    key = key_of(gathered(some), "Unsure")
    decide(some, Decision(key, "industry", "accept", '"valves"', "ann", 1.0))
    row = next(row for row in gathered(some, decided=False).rows if row.label == "Unsure")
    assert row.cells[0].state is CellState.REJECTED


def test_a_value_rejected_in_review_needs_no_review(some):
    facts = gathered(some)
    key = key_of(facts, "Unsure")
    decide(
        some, *(Decision(key, name, "reject", None, "ann", 1.0) for name in ("industry", "employee_count"))
    )
    row = next(row for row in gathered(some).rows if row.label == "Unsure")
    assert (row.status, row.reasons) == ("rejected", ())


def test_rows_beyond_the_page_are_counted_and_not_kept(tmp_path):
    path = known(tmp_path, [{"id": str(n), "name": f"N{n}"} for n in range(50)])
    answered(path, [answer() for _ in range(50)])
    facts = gathered(path, most_rows=8)
    assert ([row.number for row in facts.rows], facts.to_review) == (list(range(1, 9)), 50)


@pytest.fixture
def given(tmp_path):
    """Return a function that answers a table with an industry column: the same value, another, and a blank."""

    def made(existing):
        rows = [
            {"id": n, "name": n, "industry": value}
            for n, value in (("a", "pumps"), ("b", "valves"), ("c", ""))
        ]
        path = known(tmp_path, rows, columns={"existing": existing})
        answered(path, [answer(industry=found("Pumps ")) for _ in rows])
        return path

    return made


def test_a_found_value_that_differs_from_a_given_one_is_a_conflict_and_the_given_one_stays(given):
    facts = gathered(given("fill"))
    cells = {row.label: row.cells[0] for row in facts.rows}
    assert [cells[name].state for name in "abc"] == [CellState.GIVEN, CellState.GIVEN, CellState.HIGH]
    assert {row.label: row.reasons for row in facts.rows} == {"a": (), "b": ("conflict",), "c": ()}
    assert (cells["b"].given, cells["b"].found, cells["b"].replaced) == ("valves", "Pumps ", False)


def test_an_overwritten_value_is_a_conflict_marked_as_replaced(given):
    facts = gathered(given("overwrite"))
    (row,) = [row for row in facts.rows if row.reasons]
    assert (row.label, row.cells[0].value, row.cells[0].replaced) == ("b", "Pumps ", True)


def test_rows_of_one_task_with_different_given_values_are_separate(tmp_path):
    rows = [
        {"id": str(n), "name": "Same", "industry": value}
        for n, value in enumerate(["pumps", "valves", "", "valves"])
    ]
    path = known(tmp_path, rows, columns={"existing": "fill"})
    answered(path, [answer(industry=found("pumps"))])
    facts = gathered(path)
    seen = {(row.number, row.duplicates, row.cells[0].value, row.reasons) for row in facts.rows}
    assert seen == {(1, 0, "pumps", ()), (2, 1, "valves", ("conflict",)), (3, 0, "pumps", ())}
    assert (facts.tasks, facts.to_review) == (1, 2)


def test_a_decided_value_is_not_a_conflict(given):
    path = given("fill")
    decide(path, Decision(key_of(gathered(path), "b"), "industry", "accept", '"Pumps "', "ann", 1.0))
    facts = gathered(path)
    row = next(row for row in facts.rows if row.label == "b")
    assert (row.cells[0].state, row.cells[0].value, row.reasons) == (CellState.REVIEWED, "Pumps ", ())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/somewhere/secret/t.csv", "t.csv"),
        ("s3://bucket/a/t.csv?key=1", "t.csv"),
        ("-", "stdin"),
        ("in/*.csv", "*.csv"),
    ],
)
def test_the_page_shows_only_the_name_of_the_table(path, name, some):
    assert gathered(some, table=path).table == name


# --- which rows are shown -------------------------------------------------------------------------------------


def row(number, *needs):
    return RowView(number, bytes(16), "", (), "", None, None, None, needs)


def kept(sample, *rows):
    for item in rows:
        if not sample.add_duplicate(item.number, 1) and sample.has_room_for(item.reasons):
            sample.add(item, item.number)
    return [item.number for item in sample.rows()]


def test_rows_to_review_replace_others():
    assert kept(RowSample(2), row(1), row(2), row(3, ReviewReason.LOW), row(4)) == [3, 1]


def test_each_reason_keeps_its_share():
    many = [row(number, ReviewReason.REJECTED) for number in range(100)]
    rows = kept(
        RowSample(8),
        *many,
        row(200, ReviewReason.FAILED),
        row(201, ReviewReason.LOW),
        row(202, ReviewReason.FAILED),
    )
    assert sorted(rows) == [0, 1, 2, 3, 4, 200, 201, 202]


def test_each_reason_keeps_its_share_in_any_order():
    many = [row(number, ReviewReason.REJECTED) for number in range(100)]
    failed = [row(number, ReviewReason.FAILED) for number in range(200, 300)]
    assert sorted(kept(RowSample(8), *failed, *many)) == [0, 1, 2, 3, 4, 5, 200, 201]


def test_duplicates_are_counted_while_the_row_is_kept():
    sample = RowSample(1)
    assert kept(sample, row(1), row(1), row(2, ReviewReason.LOW), row(2), row(1)) == [2]
    assert [item.duplicates for item in sample.rows()] == [1]


# --- time ------------------------------------------------------------------------------------------------


@pytest.fixture
def twice(some):
    """Return a ledger with two sessions, the second a day later."""
    prepared = ready(some)
    ledger = open_ledger(prepared.ledger, writing=True)
    began = time.time() - 100_000
    ledger._db.execute("UPDATE batch SET sent_at = ?", (began,))
    ledger._db.execute("UPDATE run SET ended_at = ? WHERE ended_at IS NOT NULL", (began + 10,))
    task = Task(b"x" * 16, b'{"company_name":"Later"}')
    batch = ledger.record_intent(1, "tgrp_later", [task], processor="pro", price=100_000)
    ledger.record_created(batch.id, ["trun_later"])
    ledger._db.execute("UPDATE batch SET sent_at = ? WHERE id = ?", (began + 86_400, batch.id))
    yield ledger
    ledger.close()


def test_a_pause_separates_sessions(twice):
    first, second = sessions(twice)
    assert second[0] - first[1] > PAUSE
    assert first[1] - first[0] == 10


def test_the_timeline_skips_pauses_and_ends_with_every_run(twice):
    line = timeline(twice)
    assert line.worked == 10
    assert [round(pause) for _, pause in line.pauses] == [86_390]
    last = line.moments[-1]
    assert (last.sent, last.answered, last.failed) == (6, 3, 1)


def test_the_timeline_has_each_moment_once(twice):
    moments = [moment.at for moment in timeline(twice).moments]
    assert moments == sorted(set(moments))


def test_answers_of_earlier_sessions_count_as_stored(twice, some):
    assert gather(ready(some).job, twice).stored == 3


def test_a_ledger_without_runs_makes_an_empty_report(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "One"}])
    facts = gathered(path)
    assert (facts.counts[RowStatus.PENDING], facts.spend, facts.timeline.moments) == (1, [], [])


def test_a_numeric_confidence_becomes_low_medium_or_high(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "One"}], accept={})
    answered(
        path, [answer(industry=found("x", 0.79), employee_count=found(1, 0.8), listed=found(True, 0.49))]
    )
    cells = gathered(path).cells
    assert [list(cells[name]) for name in ("industry", "employee_count", "listed")] == [
        ["medium"],
        ["high"],
        ["low"],
    ]

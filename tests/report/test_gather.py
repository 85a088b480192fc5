"""What a report counts, and which rows it keeps."""

import time
from contextlib import closing

import pytest

from rowcite.api.facts import PROCESSORS
from rowcite.ledger import open_ledger
from rowcite.model import Decision, Task
from rowcite.report.facts import Need, RowView, Standing
from rowcite.report.gather import gather
from rowcite.report.row_sample import Keeper
from rowcite.report.work import PAUSE, spells, timeline
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


def test_every_row_is_counted_once_where_it_stands(some):
    counts = gathered(some).counts
    stands = (counts.completed, counts.rejected, counts.failed, counts.skipped, counts.pending)
    assert (counts.rows, stands) == (6, (1, 2, 1, 1, 1))


def test_cells_are_counted_by_field_and_standing(some):
    cells = gathered(some).cells
    assert cells["industry"] == {Standing.HIGH: 1, Standing.REFUSED: 2, Standing.OPEN: 2}
    assert cells["employee_count"] == {
        Standing.MEDIUM: 1,
        Standing.HIGH: 1,
        Standing.REFUSED: 1,
        Standing.OPEN: 2,
    }
    assert cells["listed"][Standing.EMPTY] == 2


def test_the_cells_of_a_field_sum_to_the_rows_asked(some):
    facts = gathered(some)
    assert {sum(standings.values()) for standings in facts.cells.values()} == {facts.asked} == {5}


def test_rows_that_need_a_person_say_why(some):
    facts = gathered(some)
    needs = {row.label: row.needs for row in facts.rows}
    assert needs == {
        "Good": (),
        "Unsure": ("rejected",),
        "Lost": ("rejected",),
        "Broken": ("failed",),
        "Waiting": (),
    }
    assert facts.needing == 3


def test_causes_are_counted_without_what_varies(tmp_path):
    path = known(tmp_path, [{"id": str(n), "name": f"N{n}"} for n in range(3)])
    answered(path, [f"The run failed: request req_{n}123abc took {n}.5 s" for n in range(3)])
    assert list(gathered(path).causes.values()) == [3]


def test_domains_are_those_that_cells_cite(some):
    assert gathered(some).domains == {"source.example": 6, "register.example": 1}


def test_spend_is_runs_times_price(some):
    facts = gathered(some)
    assert (facts.runs, facts.spent) == (5, 5 * PROCESSORS["core"].price)


def test_rows_that_ask_the_same_are_one_row_that_counts_them(tmp_path):
    path = known(tmp_path, [{"id": str(n), "name": "Same"} for n in range(4)])
    answered(path, [answer()])
    facts = gathered(path)
    assert (facts.asked, facts.tasks, facts.needing) == (4, 1, 4)
    assert [(row.number, row.same) for row in facts.rows] == [(1, 3)]


def test_a_decision_stands_and_its_row_needs_nobody(some):
    key = key_of(gathered(some), "Lost")
    decide(some, Decision(key, "industry", "correct", '"locks"', "ann", 1.0))
    facts = gathered(some)
    row = next(row for row in facts.rows if row.label == "Lost")
    assert (row.status, row.needs, row.cells[0].value) == ("completed", (), "locks")
    assert facts.cells["industry"][Standing.REVIEWED] == 1


def test_a_review_sees_answers_as_they_came(some):
    key = key_of(gathered(some), "Unsure")
    decide(some, Decision(key, "industry", "accept", '"valves"', "ann", 1.0))
    row = next(row for row in gathered(some, decided=False).rows if row.label == "Unsure")
    assert row.cells[0].standing is Standing.REFUSED


def test_a_value_that_rejecting_refused_needs_nobody_any_more(some):
    facts = gathered(some)
    key = key_of(facts, "Unsure")
    decide(
        some, *(Decision(key, name, "reject", None, "ann", 1.0) for name in ("industry", "employee_count"))
    )
    row = next(row for row in gathered(some).rows if row.label == "Unsure")
    assert (row.status, row.needs) == ("rejected", ())


def test_memory_does_not_hold_rows_that_the_page_has_no_room_for(tmp_path):
    path = known(tmp_path, [{"id": str(n), "name": f"N{n}"} for n in range(50)])
    answered(path, [answer() for _ in range(50)])
    facts = gathered(path, most_rows=8)
    assert ([row.number for row in facts.rows], facts.needing) == (list(range(1, 9)), 50)


@pytest.fixture
def given(tmp_path):
    """Return what writes answers for a table that has an industry already: the same, another, and none."""

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
    assert [cells[name].standing for name in "abc"] == [Standing.GIVEN, Standing.GIVEN, Standing.HIGH]
    assert {row.label: row.needs for row in facts.rows} == {"a": (), "b": ("conflict",), "c": ()}
    assert (cells["b"].given, cells["b"].said, cells["b"].replaced) == ("valves", "Pumps ", False)


def test_an_overwritten_value_is_a_conflict_that_says_so(given):
    facts = gathered(given("overwrite"))
    (row,) = [row for row in facts.rows if row.needs]
    assert (row.label, row.cells[0].value, row.cells[0].replaced) == ("b", "Pumps ", True)


def test_rows_of_one_question_that_were_given_different_values_are_apart(tmp_path):
    rows = [
        {"id": str(n), "name": "Same", "industry": value}
        for n, value in enumerate(["pumps", "valves", "", "valves"])
    ]
    path = known(tmp_path, rows, columns={"existing": "fill"})
    answered(path, [answer(industry=found("pumps"))])
    facts = gathered(path)
    seen = {(row.number, row.same, row.cells[0].value, row.needs) for row in facts.rows}
    assert seen == {(1, 0, "pumps", ()), (2, 1, "valves", ("conflict",)), (3, 0, "pumps", ())}
    assert (facts.tasks, facts.needing) == (1, 2)


def test_a_value_that_a_person_decided_is_no_conflict(given):
    path = given("fill")
    decide(path, Decision(key_of(gathered(path), "b"), "industry", "accept", '"Pumps "', "ann", 1.0))
    facts = gathered(path)
    row = next(row for row in facts.rows if row.label == "b")
    assert (row.cells[0].standing, row.cells[0].value, row.needs) == (Standing.REVIEWED, "Pumps ", ())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/somewhere/secret/t.csv", "t.csv"),
        ("s3://bucket/a/t.csv?key=1", "t.csv"),
        ("-", "stdin"),
        ("in/*.csv", "*.csv"),
    ],
)
def test_the_page_has_no_more_of_the_tables_address_than_its_name(path, name, some):
    assert gathered(some, table=path).table == name


# --- which rows stay -------------------------------------------------------------------------------------


def row(number, *needs):
    return RowView(number, bytes(16), "", (), "", None, None, None, needs)


def kept(keeper, *rows):
    for item in rows:
        if not keeper.again(item.number, 1) and keeper.wants(item.needs):
            keeper.keep(item, item.number)
    return [item.number for item in keeper.rows()]


def test_rows_that_need_a_person_push_others_out():
    assert kept(Keeper(2), row(1), row(2), row(3, Need.LOW), row(4)) == [3, 1]


def test_no_reason_takes_the_room_of_all_others():
    many = [row(number, Need.REJECTED) for number in range(100)]
    rows = kept(Keeper(8), *many, row(200, Need.FAILED), row(201, Need.LOW), row(202, Need.FAILED))
    assert sorted(rows) == [0, 1, 2, 3, 4, 200, 201, 202]


def test_no_reason_takes_the_room_of_all_others_in_whatever_order_they_come():
    many = [row(number, Need.REJECTED) for number in range(100)]
    failed = [row(number, Need.FAILED) for number in range(200, 300)]
    assert sorted(kept(Keeper(8), *failed, *many)) == [0, 1, 2, 3, 4, 5, 200, 201]


def test_rows_that_come_to_the_same_are_counted_while_they_are_kept():
    keeper = Keeper(1)
    assert kept(keeper, row(1), row(1), row(2, Need.LOW), row(2), row(1)) == [2]
    assert [item.same for item in keeper.rows()] == [1]


# --- time ------------------------------------------------------------------------------------------------


@pytest.fixture
def twice(some):
    """Return a ledger whose runs were sent and ended in two spells of work, the second a day later."""
    prepared = ready(some)
    ledger = open_ledger(prepared.ledger, writing=True)
    began = time.time() - 100_000
    ledger.apply(
        ("UPDATE batch SET sent_at = ?", (began,)),
        ("UPDATE run SET ended_at = ? WHERE ended_at IS NOT NULL", (began + 10,)),
    )
    task = Task(b"x" * 16, b'{"company_name":"Later"}')
    batch = ledger.record_intent(1, "tgrp_later", [task], processor="pro", price=100_000)
    ledger.record_created(batch.id, ["trun_later"])
    ledger.apply(("UPDATE batch SET sent_at = ? WHERE id = ?", (began + 86_400, batch.id)))
    yield ledger
    ledger.close()


def test_a_pause_parts_spells_of_work(twice):
    first, second = spells(twice)
    assert second[0] - first[1] > PAUSE
    assert first[1] - first[0] == 10


def test_the_timeline_leaves_pauses_out_and_ends_with_every_run(twice):
    line = timeline(twice)
    assert line.worked == 10
    assert [round(pause) for _, pause in line.pauses] == [86_390]
    last = line.moments[-1]
    assert (last.sent, last.answered, last.failed) == (6, 3, 1)


def test_the_timeline_never_stands_twice_at_one_moment(twice):
    moments = [moment.at for moment in timeline(twice).moments]
    assert moments == sorted(set(moments))


def test_answers_of_earlier_spells_count_as_stored(twice, some):
    assert gather(ready(some).job, twice).stored == 3


def test_a_ledger_without_runs_makes_an_empty_report(tmp_path):
    path = known(tmp_path, [{"id": "1", "name": "Nobody asked"}])
    facts = gathered(path)
    assert (facts.counts.pending, facts.spend, facts.timeline.moments) == (1, [], [])


def test_found_confidence_as_a_number_has_its_word(tmp_path):
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

"""Rows with more than a run of their own: escalated runs, packs of rows, decisions."""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace

import pytest

from rowcite.errors import LedgerError
from rowcite.model import Decision, EndedRun, RunState
from support.answers import runs_of
from support.ledgers import BODY, PRICE, done, keyed, task


def record_intent(ledger, *tasks, processor="lite"):
    return ledger.record_intent(
        ledger.record_question(b"f", BODY), "g", tasks, processor=processor, price=PRICE
    )


def states(ledger, *numbers):
    found = ledger.task_states([keyed(number) for number in numbers])
    return [found.get(keyed(number)) for number in numbers]


# --- escalated runs --------------------------------------------------------------------------------------


def test_all_runs_of_a_row_are_found_by_its_first_task(ledger):
    first, again = record_intent(ledger, task(1), task(2)), None
    ledger.save(first.id, [done(1), done(2)])
    again = record_intent(ledger, task(11, root=keyed(1)), processor="core")
    ledger.save(again.id, [done(11, b'{"content":2}')])
    found = {runs[0].key: runs for runs in ledger.runs_by_task([keyed(1), keyed(2)])}
    assert [(run.processor, run.output, run.first) for run in found[keyed(1)]] == [
        ("lite", b'{"content":1}', 1),
        ("core", b'{"content":2}', 0),
    ]
    assert len(found[keyed(2)]) == 1


def test_an_escalated_run_does_not_answer_the_first_task(ledger):
    batch = record_intent(ledger, task(11, root=keyed(1)))
    ledger.save(batch.id, [done(11)])
    assert states(ledger, 1, 11) == [None, RunState.COMPLETED]


# --- rows sent together ----------------------------------------------------------------------------------


@pytest.fixture
def packed(ledger):
    return record_intent(ledger, task(100, members=(task(1), task(2), task(3))))


def test_rows_of_a_pack_have_the_state_of_its_run(ledger, packed):
    assert states(ledger, 1, 2, 3) == [RunState.INTENDED] * 3
    ledger.record_created(packed.id, ["run-100"])
    assert states(ledger, 1, 2, 3) == [RunState.SUBMITTED] * 3


def test_a_pack_is_one_run_and_is_paid_once(ledger, packed):
    assert packed.active == {keyed(100)}
    assert ledger.spent() == PRICE
    assert ledger.state_counts() == {RunState.INTENDED: 1}
    assert [batch.inputs for batch in ledger.active_batches()] == [packed.inputs]


def test_each_row_has_its_part_of_the_answer(ledger, packed):
    parts = ((keyed(1), b'{"content":"one"}'), (keyed(2), b'{"content":"two"}'), (keyed(3), None))
    ledger.save(packed.id, [done(100, parts=parts)])
    held = runs_of(ledger, [keyed(1), keyed(2), keyed(3)])
    assert {key: item.output for key, item in held.items()} == {
        keyed(1): b'{"content":"one"}',
        keyed(2): b'{"content":"two"}',
    }
    assert held[keyed(1)].run_id == "run-100"


def test_a_row_without_a_part_counts_as_never_sent(ledger, packed):
    ledger.save(packed.id, [done(100, parts=((keyed(1), b"{}"), (keyed(2), None)))])
    assert states(ledger, 1, 2) == [RunState.COMPLETED, None]


def test_a_pack_that_failed_failed_for_each_of_its_rows(ledger, packed):
    ledger.save(packed.id, [EndedRun(keyed(100), "run-100", RunState.FAILED, error="no", ref_id="r")])
    one = runs_of(ledger, [keyed(1)])[keyed(1)]
    assert (one.state, one.error, one.ref_id, one.price) == (RunState.FAILED, "no", "r", 0)


def test_a_pack_that_was_not_created_leaves_nothing(ledger, packed):
    ledger.forget_uncreated(packed.id, [keyed(100)])
    assert states(ledger, 1, 2, 3, 100) == [None] * 4
    assert ledger.spent() == 0


def test_a_row_cannot_be_active_in_two_packs(ledger, packed):
    with pytest.raises(Exception, match="UNIQUE"):
        record_intent(ledger, task(101, members=(task(3),)))


# --- decisions -------------------------------------------------------------------------------------------


def decision(verdict, value=None, at=1.0, field="a", key=1):
    return Decision(keyed(key), field, verdict, value, "ada", at)


def test_the_newest_decision_on_a_cell_counts_and_all_are_kept(ledger):
    ledger.record_decisions(
        [decision("accept"), decision("correct", '"x"', 2.0), decision("reject", field="b")]
    )
    found = ledger.decisions([keyed(1), keyed(2)])
    assert found == {keyed(1): {"a": decision("correct", '"x"', 2.0), "b": decision("reject", field="b")}}
    with closing(sqlite3.connect(ledger.where)) as db:
        assert db.execute("SELECT count(*) FROM decision").fetchone() == (3,)


def test_a_cleared_decision_is_gone(ledger):
    ledger.record_decisions([decision("accept"), decision("clear", at=time.time())])
    assert ledger.decisions() == {}


def test_a_scan_returns_the_states_of_a_lookup(ledger):
    batch = record_intent(ledger, task(1), task(2))
    ledger.save(batch.id, [done(1)])
    found = {}
    for state, keys in ledger.scan_states():
        found |= {keys[at : at + 16]: state for at in range(0, len(keys), 16)}
    assert found == ledger.task_states([keyed(1), keyed(2)])


def test_a_scan_rejects_a_damaged_state(ledger):
    record_intent(ledger, task(1), task(2))
    with closing(sqlite3.connect(ledger.where)) as db:
        db.execute("UPDATE run SET state = 'odd' WHERE id = 2")
        db.commit()
    with pytest.raises(LedgerError, match="the ledger is damaged: unexpected value in the place of a state"):
        list(ledger.scan_states())


def test_a_scan_reads_every_part_of_the_ledger(ledger):
    record_intent(ledger, *map(task, range(5)))
    assert sorted(keys for _, keys in ledger.scan_states(at_once=2)) == sorted(
        [keyed(0) + keyed(1), keyed(2) + keyed(3), keyed(4)]
    )


def by(who, verdict, value=None, at=1.0):
    return replace(decision(verdict, value, at), who=who)


def test_the_decisions_of_two_reviewers_are_kept_apart_and_the_newest_counts(ledger):
    bo, ada = by("bo", "accept", '"y"', 2.0), by("ada", "correct", '"x"', 3.0)
    ledger.record_decisions([by("ada", "reject"), ada, bo])
    assert ledger.decisions_by_reviewer() == {keyed(1): {"a": {"bo": bo, "ada": ada}}}
    assert ledger.decisions() == {keyed(1): {"a": ada}}


def test_a_reviewer_clears_only_the_own_decision(ledger):
    bo = by("bo", "accept", '"y"', 2.0)
    ledger.record_decisions([by("ada", "reject"), bo, by("ada", "clear", at=3.0)])
    assert ledger.decisions_by_reviewer([keyed(1)]) == {keyed(1): {"a": {"bo": bo}}}
    assert ledger.decisions() == {keyed(1): {"a": bo}}

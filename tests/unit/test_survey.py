"""A table's tasks are counted by state and submitted once, in any amount of memory."""

from hashlib import sha256

import polars as pl
import pytest

from rowcite.errors import TableError
from rowcite.ledger import open_ledger
from rowcite.model import EndedRun, RunState, Task
from rowcite.table.reader import Batch
from rowcite.table.sources import Rows
from rowcite.table.survey import survey, tasks_to_do

AMPLE, SCARCE = 1 << 30, 600


def keyed(number):
    return sha256(b"%d" % number).digest()[:16]


def batch(*numbers, status=()):
    tasks = {keyed(n): b"%d" % n for n in numbers}
    return Batch(
        Rows(pl.DataFrame({"n": numbers})),
        keys=pl.Series(list(tasks), dtype=pl.Binary),
        status=pl.Series([*status, *[None] * len(numbers)], dtype=pl.String),
        why=pl.Series([None], dtype=pl.String),
        tasks=tasks,
    )


@pytest.fixture
def ledger(tmp_path):
    opened = open_ledger(tmp_path / "l", writing=True)
    yield opened
    opened.close()


def put(ledger, state, *numbers):
    made = ledger.record_intent(
        ledger.record_question(b"f", b'{"api":"x"}'),
        "g",
        [Task(keyed(n), b"%d" % n) for n in numbers],
        processor="core",
        price=1,
    )
    if state is not RunState.INTENDED:
        output = b"{}" if state is RunState.COMPLETED else None
        ledger.save(made.id, [EndedRun(keyed(n), f"r{n}", state, output) for n in numbers])


def to_submit(batches, found):
    parts = list(tasks_to_do(batches, found))
    return [task.input for submit, _ in parts for task in submit], [
        task.input for _, active in parts for task in active
    ]


@pytest.mark.parametrize("room", [AMPLE, SCARCE])
def test_each_task_is_submitted_once_where_it_first_appears(ledger, room):
    batches = [batch(*range(40)), batch(*range(20, 60), 5), batch(5)]
    found = survey(batches, ledger, not_before=0, again=False, room=room)
    assert (found.tasks, found.to_submit, found.answered) == (60, 60, 0)
    assert to_submit(batches, found) == ([b"%d" % n for n in range(60)], [])


@pytest.mark.parametrize("room", [AMPLE, SCARCE])
def test_tasks_in_the_ledger_are_not_submitted_again(ledger, room):
    put(ledger, RunState.COMPLETED, 1, 2)
    put(ledger, RunState.FAILED, 3)
    put(ledger, RunState.INTENDED, 4)
    batches = [batch(1, 2, 3), batch(3, 4, 5)]
    found = survey(batches, ledger, not_before=0, again=False, room=room)
    assert (found.answered, found.failed, found.active, found.to_submit) == (2, 1, 1, 1)
    assert to_submit(batches, found) == ([b"5"], [b"4"])


def test_failed_tasks_are_submitted_again_on_request(ledger):
    put(ledger, RunState.FAILED, 1)
    found = survey([batch(1)], ledger, not_before=0, again=True, room=AMPLE)
    assert (found.failed, found.to_submit) == (0, 1)


@pytest.mark.parametrize("runs", [30, 21_000])  # looked up by key, and scanned
def test_an_answer_from_before_the_given_time_does_not_count(ledger, runs):
    put(ledger, RunState.COMPLETED, *range(runs))
    batches = [batch(*range(runs))]
    assert survey(batches, ledger, not_before=0, again=False, room=AMPLE).answered == runs
    assert survey(batches, ledger, not_before=2e9, again=False, room=AMPLE).to_submit == runs


def test_the_best_run_of_a_task_counts_if_the_ledger_is_scanned(ledger):
    put(ledger, RunState.FAILED, *range(11_000))
    put(ledger, RunState.COMPLETED, *range(11_000))
    found = survey([batch(*range(11_000))], ledger, not_before=0, again=False, room=SCARCE * 1000)
    assert found.answered == 11_000


def test_rows_without_a_task_are_counted_by_status(ledger):
    found = survey(
        [batch(1, status=["skipped", "skipped", "failed"])], ledger, not_before=0, again=False, room=AMPLE
    )
    assert (found.rows, found.skipped, found.too_large) == (4, 2, 1)


def test_a_table_without_tasks_to_submit_is_not_read_again(ledger):
    put(ledger, RunState.COMPLETED, 1)
    found = survey([batch(1)], ledger, not_before=0, again=False, room=AMPLE)

    def never():
        raise AssertionError
        yield

    assert list(tasks_to_do(never(), found)) == []


@pytest.mark.parametrize("later", [[batch(1)], [batch(1, 3)]])
def test_a_table_that_changed_after_the_survey_is_rejected(ledger, later):
    found = survey([batch(1, 2)], ledger, not_before=0, again=False, room=AMPLE)
    with pytest.raises(TableError, match="changed while it was read"):
        list(tasks_to_do(later, found))


def test_an_empty_table_has_no_tasks(ledger):
    found = survey([], ledger, not_before=0, again=False, room=AMPLE)
    assert (found.rows, found.tasks, found.to_submit, found.sample) == (0, 0, 0, None)

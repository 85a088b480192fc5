"""What a table's keys come to, whatever they repeat, and however little memory there is."""

from hashlib import sha256

import polars as pl
import pytest

from rowcite.errors import TableError
from rowcite.ledger import open_ledger
from rowcite.model import EndedRun, RunState, Task
from rowcite.table.reader import Batch
from rowcite.table.sources import Rows
from rowcite.table.survey import survey, tasks_to_do

ROOMY, CRAMPED = 1 << 30, 600


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


def asked(batches, found):
    parts = list(tasks_to_do(batches, found))
    return [task.input for sure, _ in parts for task in sure], [
        task.input for _, some in parts for task in some
    ]


@pytest.mark.parametrize("room", [ROOMY, CRAMPED])
def test_each_task_is_done_once_where_it_first_stands(ledger, room):
    batches = [batch(*range(40)), batch(*range(20, 60), 5), batch(5)]
    found = survey(batches, ledger, not_before=0, again=False, room=room)
    assert (found.tasks, found.to_submit, found.answered) == (60, 60, 0)
    assert asked(batches, found) == ([b"%d" % n for n in range(60)], [])


@pytest.mark.parametrize("room", [ROOMY, CRAMPED])
def test_what_stands_in_the_ledger_is_not_done_again(ledger, room):
    put(ledger, RunState.COMPLETED, 1, 2)
    put(ledger, RunState.FAILED, 3)
    put(ledger, RunState.INTENDED, 4)
    batches = [batch(1, 2, 3), batch(3, 4, 5)]
    found = survey(batches, ledger, not_before=0, again=False, room=room)
    assert (found.answered, found.failed, found.active, found.to_submit) == (2, 1, 1, 1)
    assert asked(batches, found) == ([b"5"], [b"4"])


def test_what_failed_is_done_again_when_told_to(ledger):
    put(ledger, RunState.FAILED, 1)
    found = survey([batch(1)], ledger, not_before=0, again=True, room=ROOMY)
    assert (found.failed, found.to_submit) == (0, 1)


@pytest.mark.parametrize("runs", [30, 21_000])  # looked up, and read in a row
def test_an_answer_from_before_does_not_count(ledger, runs):
    put(ledger, RunState.COMPLETED, *range(runs))
    batches = [batch(*range(runs))]
    assert survey(batches, ledger, not_before=0, again=False, room=ROOMY).answered == runs
    assert survey(batches, ledger, not_before=2e9, again=False, room=ROOMY).to_submit == runs


def test_the_best_run_of_a_task_counts_when_the_ledger_is_read_in_a_row(ledger):
    put(ledger, RunState.FAILED, *range(11_000))
    put(ledger, RunState.COMPLETED, *range(11_000))
    found = survey([batch(*range(11_000))], ledger, not_before=0, again=False, room=CRAMPED * 1000)
    assert found.answered == 11_000


def test_rows_are_counted_by_why_nothing_is_asked(ledger):
    found = survey(
        [batch(1, status=["skipped", "skipped", "failed"])], ledger, not_before=0, again=False, room=ROOMY
    )
    assert (found.rows, found.skipped, found.too_large) == (4, 2, 1)


def test_nothing_to_do_reads_nothing(ledger):
    put(ledger, RunState.COMPLETED, 1)
    found = survey([batch(1)], ledger, not_before=0, again=False, room=ROOMY)

    def never():
        raise AssertionError
        yield

    assert list(tasks_to_do(never(), found)) == []


@pytest.mark.parametrize("later", [[batch(1)], [batch(1, 3)]])
def test_a_table_that_changed_meanwhile_is_refused(ledger, later):
    found = survey([batch(1, 2)], ledger, not_before=0, again=False, room=ROOMY)
    with pytest.raises(TableError, match="changed while it was read"):
        list(tasks_to_do(later, found))


def test_an_empty_table_has_nothing(ledger):
    found = survey([], ledger, not_before=0, again=False, room=ROOMY)
    assert (found.rows, found.tasks, found.to_submit, found.sample) == (0, 0, 0, None)

"""Ledgers of earlier versions: brought up to date without losing anything, whole or not at all."""

import sqlite3
from pathlib import Path

import pytest
from filelock import FileLock

from rowcite.errors import LedgerBusy, LedgerError
from rowcite.ledger import VERSION, open_ledger
from rowcite.model import RunState
from support.stored import runs_of

OLD = Path(__file__).parents[1] / "data" / "ledger" / "version_1.sql"


def keyed(number):
    return number.to_bytes(16, "big")


@pytest.fixture
def folder(tmp_path):
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.executescript(OLD.read_text())
    db.close()
    return tmp_path


def tables(folder):
    with sqlite3.connect(folder / "ledger.db") as db:
        found = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        columns = {
            name: sorted(row[1:4] for row in db.execute(f"PRAGMA table_info({name})")) for name, _ in found
        }
    db.close()
    return columns


@pytest.mark.parametrize("writing", [True, False])
def test_what_was_paid_and_answered_is_all_there(folder, writing):
    ledger = open_ledger(folder, writing=writing)
    held = runs_of(ledger, [keyed(1), keyed(2), keyed(3)])
    assert ledger.spent() == 75_000
    assert (held[keyed(1)].run_id, held[keyed(1)].output) == ("run-a", b'{"content":1}')
    assert (held[keyed(2)].state, held[keyed(2)].error, held[keyed(2)].ref_id) == ("failed", "no", "ref-1")
    assert {item.processor for item in held.values()} == {"core"}
    assert ledger.warnings() == {"warning: slow": 1}
    ledger.close()


def test_what_was_under_way_is_taken_up(folder):
    ledger = open_ledger(folder, writing=True)
    (batch,) = ledger.open_batches()
    assert (batch.group_id, batch.unsure, batch.inputs) == ("group-2", True, {keyed(3): b'{"n":3}'})
    ledger.close()


def test_it_has_the_tables_of_a_new_one(folder, tmp_path):
    open_ledger(folder, writing=True).close()
    open_ledger(tmp_path / "new", writing=True).close()
    old, new = tables(folder), tables(tmp_path / "new")
    assert old.keys() == new.keys()
    old.pop("batch"), new.pop("batch")  # the processor of an old batch has a default
    assert old == new


def test_it_is_done_once(folder):
    open_ledger(folder, writing=True).close()
    again = open_ledger(folder, writing=True)
    assert again.counts() == {RunState.COMPLETED: 1, RunState.FAILED: 1, RunState.INTENDED: 1}
    again.close()


def test_a_step_that_fails_leaves_the_old_one_as_it_was(folder):
    with sqlite3.connect(folder / "ledger.db") as db:
        db.execute("CREATE TABLE decision (other TEXT)")  # in the way of the last table of the step
    with pytest.raises(
        LedgerError, match=r"ledger\.db: cannot open the ledger: table decision already exists"
    ):
        open_ledger(folder, writing=True)
    with sqlite3.connect(folder / "ledger.db") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM run WHERE input IS NOT NULL").fetchone() == (3,)
    db.close()


def test_reading_does_not_change_one_that_another_process_has(folder):
    with FileLock(folder / "lock"), pytest.raises(LedgerBusy, match="another rowcite"):
        open_ledger(folder, writing=False)


def test_a_newer_one_is_refused(folder):
    with sqlite3.connect(folder / "ledger.db") as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    for writing in (True, False):
        with pytest.raises(LedgerError, match="made by a newer rowcite"):
            open_ledger(folder, writing=writing)

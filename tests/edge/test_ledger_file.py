"""The file of the ledger: its mode, its lock, its errors, and that no other package has SQL."""

import pickle
import re
import shutil
import signal
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from random import randbytes

import pytest

from rowcite.errors import Incomplete, LedgerBusy, LedgerError
from rowcite.ledger import open_ledger, queries
from rowcite.model import EndedRun, RunState
from support.ledgers import batch, done, keyed


def test_it_is_written_ahead_and_synced(ledger):
    assert ledger._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert ledger._db.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_only_the_owner_can_read_its_files(ledger, tmp_path):
    batch(ledger, 1)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "l").iterdir()}
    assert modes == dict.fromkeys(modes, 0o600)
    assert "ledger.db-wal" in modes


def test_another_process_opens_the_same_file_for_reading(ledger):
    batch(ledger, 1)
    opened = pickle.loads(pickle.dumps(ledger.opener()))()
    assert list(opened.runs_by_task([keyed(1)])) == list(ledger.runs_by_task([keyed(1)])) != []
    opened.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_another_process_does_not_read_in_place_of_a_deleted_ledger(ledger, tmp_path, replaced):
    opener = ledger.opener()
    for file in (tmp_path / "l").glob("ledger.db*"):
        file.rename(tmp_path / file.name)
    if replaced:
        shutil.copy(tmp_path / "ledger.db", tmp_path / "l" / "ledger.db")
    with pytest.raises(LedgerError, match="deleted or replaced"):
        opener()


def test_reading_a_missing_ledger_is_empty_and_creates_nothing(tmp_path):
    opened = open_ledger(tmp_path / "none", writing=False)
    assert opened.state_counts() == {}
    assert opened.active_batches() == []
    assert list(opened.runs_by_task([keyed(1)])) == []
    opened.close()
    assert list(tmp_path.iterdir()) == []


def test_reading_while_another_writes_is_allowed(ledger, tmp_path):
    batch(ledger, 1)
    reading = open_ledger(tmp_path / "l", writing=False)
    assert reading.state_counts() == {RunState.INTENDED: 1}
    reading.close()


def test_a_second_writer_is_an_error_that_names_the_ledger(ledger, tmp_path):
    with pytest.raises(LedgerBusy, match=str(tmp_path / "l")) as raised:
        open_ledger(tmp_path / "l", writing=True)
    assert isinstance(raised.value, Incomplete)
    assert raised.value.exit_code == 5


def test_the_lock_of_a_killed_process_is_gone(tmp_path):
    script = f"""
        import time
        from pathlib import Path
        from rowcite.ledger import open_ledger, queries
        ledger = open_ledger(Path({str(tmp_path / "l")!r}), writing=True)
        print("open", flush=True)
        time.sleep(60)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"open\n"
    with pytest.raises(LedgerBusy):
        open_ledger(tmp_path / "l", writing=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    open_ledger(tmp_path / "l", writing=True).close()


def test_a_file_that_is_not_sqlite_is_a_clear_error(tmp_path):
    (tmp_path / "l").mkdir()
    (tmp_path / "l" / "ledger.db").write_text("this is a text, and long enough to be taken for a header" * 20)
    with pytest.raises(LedgerError, match="not a database"):
        open_ledger(tmp_path / "l", writing=True)


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="cannot open the ledger") as raised:
        open_ledger(tmp_path / "file" / "l", writing=True)
    assert raised.value.exit_code == 5


def test_a_full_disk_is_a_clear_error_and_what_was_written_is_kept(ledger):
    ledger.save(batch(ledger, 1).id, [done(1)])
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count = {pages + 1}")  # as SQLite sees a disk that is full
    one = batch(ledger, 2)
    with pytest.raises(LedgerError, match=r"full.*free disk space") as raised:
        ledger.save(one.id, [EndedRun(keyed(2), "r", RunState.COMPLETED, randbytes(100_000))])
    assert raised.value.exit_code == 5
    assert ledger.task_states([keyed(1), keyed(2)]) == {
        keyed(1): RunState.COMPLETED,
        keyed(2): RunState.INTENDED,
    }
    ledger._db.execute("PRAGMA max_page_count = 1000000")
    ledger.save(one.id, [done(2)])
    assert ledger.task_states([keyed(2)]) == {keyed(2): RunState.COMPLETED}


def test_a_ledger_that_became_read_only_is_a_clear_error(ledger):
    ledger._db.execute("PRAGMA query_only = 1")
    with pytest.raises(LedgerError, match="readonly"):
        batch(ledger, 1)


# --- the only place with SQL -----------------------------------------------------------------------------


def test_the_core_has_sql_in_the_ledger_alone():
    source = Path(__file__).parents[2] / "src" / "rowcite"
    statement = re.compile(
        r"\b(SELECT .* FROM|INSERT (OR \w+ )?INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE|PRAGMA) "
    )
    found = {
        file.relative_to(source).parts[0]
        for file in source.rglob("*.py")
        if statement.search(file.read_text()) and "local" not in file.parts and "duckdb" not in file.name
    }
    assert found == {"ledger"}


def test_no_statement_names_a_state_itself():
    folder = Path(queries.__file__).parent
    named = re.compile(f"'({'|'.join(RunState)})'")  # in SQL a text has single quotes
    for file in [*folder.glob("*.py"), *folder.glob("*.sql")]:
        assert not named.search(file.read_text()), file


@pytest.mark.parametrize(("runs", "mebibytes"), [(1_000, 64), (5_000_000, 190), (1 << 40, 512)])
def test_a_large_ledger_is_read_with_a_cache_for_its_index(ledger, tmp_path, runs, mebibytes):
    batch(ledger, 1)
    ledger._db.execute("PRAGMA foreign_keys = OFF")
    ledger._db.execute("UPDATE run SET id = ?", (runs,))
    reading = open_ledger(tmp_path / "l", writing=False)
    assert reading._db.execute("PRAGMA cache_size").fetchone()[0] // -1024 == mebibytes
    reading.close()
